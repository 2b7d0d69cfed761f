package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"text/tabwriter"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm"
)

// distillRace is a race of distillation steps on the same batch from the same first weights.
type distillRace struct {
	Teacher    string             `json:"teacher"`
	Parameters int64              `json:"parameters"` // of the student
	Tokens     int                `json:"tokens"`     // in a step
	Live       []ask.Passed       `json:"live"`       // ours, with the teacher in every step
	Kept       []ask.Passed       `json:"kept"`       // ours, with logits from a file
	Whittle    []ask.Passed       `json:"whittle,omitempty"`
	Ratios     map[string]float64 `json:"ratios"`

	askedLive, askedKept string
}

// distillSpeed is what `lab bench distill speed` measures.
type distillSpeed struct {
	Cores   int           `json:"cores"`
	Backend string        `json:"backend"`
	Races   []distillRace `json:"races"`
	Skipped string        `json:"whittle_skipped,omitempty"` // why there is nothing to compare with
}

// Sizes of the measurement.
const (
	distillTurns = 9   // steps that count
	keptK        = 64  // logits that are kept of each position
	distillSeq   = 128 // tokens in a sequence
)

// benchDistillSpeed measures steps of distillation beside PyTorch with whittle's loss, taking turns, and the memory of each. On a
// machine with a GPU both sides use it.
func benchDistillSpeed(ctx context.Context, l *lab, asJSON bool) error {
	return l.besideWhittle(ctx, func(b speedBench) error {
		s := distillSpeed{Cores: cores(), Backend: l.env().describeBackend(), Skipped: b.skipped}
		for _, c := range []struct {
			teacher              speedTeacher
			bin                  slm.Bin
			batch                int
			askedLive, askedKept string
		}{{b.small, slm.Around(3.36e6, 0.05), 16, "1.0", "1.6"}, {b.real, slm.Around(30e6, 0.05), 4, "1.5", "3"}} {
			r := distillRace{Teacher: c.teacher.name, Tokens: c.batch * distillSeq, askedLive: c.askedLive, askedKept: c.askedKept}
			if err := l.raceDistillation(ctx, &r, c.teacher, c.bin, c.batch, b.dir, b.whittle); err != nil {
				return fmt.Errorf("%s: %w", c.teacher.name, err)
			}
			s.Races = append(s.Races, r)
		}
		if asJSON {
			return printJSON(l.stdout, s)
		}
		return s.print(l.stdout)
	})
}

// raceDistillation lets each take the same steps, in turns. The student is the bin's proportional one, which whittle can hold.
func (l *lab) raceDistillation(ctx context.Context, r *distillRace, t speedTeacher, bin slm.Bin, batch int, dir, python string) error {
	sizes, err := slm.CoarseUniform.Proportional(t.config, bin)
	if err != nil {
		return err
	}
	subnet := sizes.Subnet(t.config)
	r.Parameters = subnet.Parameters(t.config).Total()
	d := slm.Distillation{Teacher: t.name, Subnet: subnet, Loss: slm.CE(0.3).Plus(slm.ForwardKL(0.7)), Batch: batch, SeqLen: distillSeq,
		EvalTokens: 2048, Schedule: slm.Schedule{Peak: 1e-5, Warmup: 1, Horizon: 1 << 20}}.WithDefaults() // so slow that rounding does not tell
	live, err := l.distillCommand(t, d, "")
	if err != nil {
		return err
	}
	taught := d
	taught.Loss = slm.CE(0.3).Plus(slm.ForwardKL(0.7).Top(keptK))
	kept, err := l.distillCommand(t, taught, filepath.Join(dir, t.name+".logits"))
	if err != nil {
		return err
	}
	racers := []*racer{{name: "ours, the teacher live", cmd: live, passes: &r.Live}, {name: "ours, logits kept", cmd: kept, passes: &r.Kept}}
	if python != "" {
		theirs, err := l.whittleDistillCommand(ctx, python, t, d, dir)
		if err != nil {
			return err
		}
		racers = append(racers, &racer{name: "whittle", cmd: theirs, passes: &r.Whittle})
	}
	if err := race(ctx, racers, distillTurns); err != nil {
		return err
	}
	return r.compare()
}

// distillCommand is our side.
func (l *lab) distillCommand(t speedTeacher, d slm.Distillation, logits string) (*exec.Cmd, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return l.host("measure", "--model", t.model, "--what", ask.Distilling, "--distil", string(text), "--logits", logits)
}

// whittleDistillCommand is whittle's side, from the student that we begin with.
func (l *lab) whittleDistillCommand(ctx context.Context, python string, t speedTeacher, d slm.Distillation, dir string) (*exec.Cmd, error) {
	subnet, student := filepath.Join(dir, "subnet.json"), filepath.Join(dir, "student-of-"+t.name)
	text, err := json.Marshal(d.Subnet)
	if err == nil {
		err = os.WriteFile(subnet, text, 0o644)
	}
	if err != nil {
		return nil, err
	}
	extract, err := l.host("extract", "--model", t.model, "--subnet", subnet, "--out", student)
	if err == nil {
		extract.Stdout = io.Discard
		err = errors.Join(extract.Run(), ctx.Err())
	}
	if err != nil {
		return nil, fmt.Errorf("writing the student for whittle: %w", err)
	}
	if _, err := l.script("whittle_evaluate.py"); err != nil { // which the other imports
		return nil, err
	}
	script, err := l.script("whittle_distill.py")
	if err != nil {
		return nil, err
	}
	args := []string{script, l.benchFile(t.model), student}
	for _, v := range []any{d.Batch, d.SeqLen, d.Schedule.Peak, d.WeightDecay, d.Beta1, d.Beta2, d.Clip} {
		args = append(args, fmt.Sprint(v))
	}
	return exec.Command(python, args...), nil
}

// compare computes the ratios, medians over the turns. It is an error if the two did not train the same.
func (r *distillRace) compare() error {
	r.Ratios = map[string]float64{}
	var live, kept, speedup []float64
	for i := range r.Live {
		speedup = append(speedup, r.Live[i].Seconds/r.Kept[i].Seconds)
		if r.Whittle == nil {
			continue
		}
		theirs := r.Whittle[i]
		live, kept = append(live, theirs.Seconds/r.Live[i].Seconds), append(kept, theirs.Seconds/r.Kept[i].Seconds)
		if math.Abs(r.Live[i].Loss-theirs.Loss) > 5e-3*theirs.Loss {
			return fmt.Errorf("step %d: the loss is %g, whittle's is %g", i+3, r.Live[i].Loss, theirs.Loss)
		}
	}
	r.Ratios["kept against live"] = medianOf(speedup)
	if r.Whittle != nil {
		last := len(r.Live) - 1
		r.Ratios["times whittle's throughput"], r.Ratios["times whittle's throughput, logits kept"] = medianOf(live), medianOf(kept)
		r.Ratios["of whittle's memory"] = float64(r.Live[last].Peak) / float64(r.Whittle[last].Peak)
		r.Ratios["of whittle's memory, logits kept"] = float64(r.Kept[last].Peak) / float64(r.Whittle[last].Peak)
	}
	return nil
}

func (s distillSpeed) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "STEPS OF DISTILLATION\tMEASURED\tASKED\tHOW (%d cores, %s)\n", s.Cores, s.Backend)
	for _, r := range s.Races {
		last := len(r.Live) - 1
		fmt.Fprintf(table, "%s to %s, %d tokens\t%.3f s\t\tmedian of %d steps, the teacher live; peak memory %s\n", r.Teacher, slm.Count(r.Parameters), r.Tokens,
			medianSeconds(r.Live), len(r.Live), slm.Amount(float64(r.Live[last].Peak), "B"))
		fmt.Fprintf(table, "  logits kept\t%.3f s\t\tthe likeliest %d of each position, from a file; peak memory %s; %.2f times as fast\n", medianSeconds(r.Kept), keptK,
			slm.Amount(float64(r.Kept[last].Peak), "B"), r.Ratios["kept against live"])
		if r.Whittle == nil {
			fmt.Fprintf(table, "  beside whittle\tnot measured\t%s, %s\t%s\n", r.askedLive, r.askedKept, s.Skipped)
			continue
		}
		fmt.Fprintf(table, "  PyTorch, whittle's loss\t%.3f s\t\tthe teacher live, fused AdamW; peak memory %s\n", medianSeconds(r.Whittle), slm.Amount(float64(r.Whittle[last].Peak), "B"))
		fmt.Fprintf(table, "  times its throughput\t%.2f\t%s\tthe same first weights and batch, taking turns; the losses agree\n", r.Ratios["times whittle's throughput"], r.askedLive)
		fmt.Fprintf(table, "  the same, logits kept\t%.2f\t%s\t\n", r.Ratios["times whittle's throughput, logits kept"], r.askedKept)
		fmt.Fprintf(table, "  of its peak memory\t%.2f, kept %.2f\tat most 1\t\n", r.Ratios["of whittle's memory"], r.Ratios["of whittle's memory, logits kept"])
	}
	return table.Flush()
}

func medianSeconds(passes []ask.Passed) float64 {
	var seconds []float64
	for _, p := range passes {
		seconds = append(seconds, p.Seconds)
	}
	return medianOf(seconds)
}
