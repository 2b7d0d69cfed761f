package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os/exec"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm"
)

// searchRace is a race of candidates of one bin. Runners are ours first, then whittle; the subjects are the whole teacher first,
// then candidates.
type searchRace struct {
	Teacher string             `json:"teacher"`
	Bin     string             `json:"bin"`
	Tokens  int                `json:"tokens"`
	Ours    [][]ask.Evaluated  `json:"ours"` // [turns][subjects]
	Whittle [][]ask.Evaluated  `json:"whittle,omitempty"`
	Ratios  map[string]float64 `json:"ratios"`
}

// raceWhittle lets both evaluate the same sub-networks on the same tokens, in turns.
func (l *lab) raceWhittle(ctx context.Context, t speedTeacher, bin slm.Bin, python string) (r searchRace, err error) {
	search, subjects, err := raceSubjects(t, bin)
	if err != nil {
		return r, err
	}
	r = searchRace{Teacher: t.name, Bin: bin.String(), Tokens: t.windows * (speedSeq - 1)}
	ours, err := l.measureCommand(ask.Candidates, t, search)
	if err != nil {
		return r, err
	}
	runners := []*racer{{name: "ours", cmd: ours}}
	results := []*[][]ask.Evaluated{&r.Ours}
	if python != "" {
		theirs, err := l.whittleCommand(python, t)
		if err != nil {
			return r, err
		}
		runners, results = append(runners, &racer{name: "whittle", cmd: theirs}), append(results, &r.Whittle)
	}
	if err := raceOn(ctx, runners, subjects, results); err != nil {
		return r, err
	}
	return r, r.compare()
}

// raceSubjects are the JSON of the teacher and of candidates, uniform and by layer, and a search to which they belong.
func raceSubjects(t speedTeacher, bin slm.Bin) (search slm.Search, subjects []string, err error) {
	subjects = []string{"{}"}
	for _, space := range []slm.Space{slm.CoarseUniform, slm.CoarseLayerWise} {
		search = slm.Search{Space: space, Bin: bin, Population: raceCandidates, Tokens: t.windows * (speedSeq - 1)}.WithDefaults()
		search.Generations, search.Offspring = 4, (searchCandidates-raceCandidates)/4
		candidates, err := search.Next(t.config, nil)
		if err != nil {
			return search, nil, err
		}
		for _, c := range candidates {
			text, err := json.Marshal(c.Subnet)
			if err != nil {
				return search, nil, err
			}
			subjects = append(subjects, string(text))
		}
	}
	return search, subjects, nil
}

// whittleCommand is whittle's side of a race.
func (l *lab) whittleCommand(python string, t speedTeacher) (*exec.Cmd, error) {
	script, err := l.script("whittle_evaluate.py")
	if err != nil {
		return nil, err
	}
	batch := min(t.windows, 1024/(speedSeq-1)) // as ours
	return exec.Command(python, script, l.benchFile(t.model), fmt.Sprint(speedSeq), fmt.Sprint(batch), fmt.Sprint(t.windows)), nil
}

// raceOn gives each runner each subject in turns, after one round to warm up.
func raceOn(ctx context.Context, runners []*racer, subjects []string, results []*[][]ask.Evaluated) error {
	return running(ctx, runners, func() error {
		for turn := range 1 + raceTurns {
			round := make([][]ask.Evaluated, len(runners))
			for _, subject := range subjects {
				for i, r := range runners {
					time.Sleep(settle / 3)
					var e ask.Evaluated
					if err := r.ask(subject, &e); err != nil {
						return err
					}
					round[i] = append(round[i], e)
				}
			}
			for i := range runners {
				if turn > 0 { // the first compiles
					*results[i] = append(*results[i], round[i])
				}
			}
		}
		return nil
	})
}

// turnSeconds sums a turn's candidates.
func turnSeconds(turn []ask.Evaluated) (sum float64) {
	for _, e := range turn[1:] {
		sum += e.Seconds
	}
	return sum
}

// compare computes the ratios, medians over the turns. It is an error if the two did not compute the same.
func (r *searchRace) compare() error {
	r.Ratios = map[string]float64{}
	var size, speed, counting []float64
	for i, turn := range r.Ours {
		size = append(size, turnSeconds(turn)/float64(len(turn)-1)/turn[0].Seconds)
		if r.Whittle == nil {
			continue
		}
		theirs := r.Whittle[i]
		speed = append(speed, turnSeconds(theirs)/turnSeconds(turn))
		for j, e := range turn {
			counting = append(counting, theirs[j].CountSeconds/e.CountSeconds)
			if math.Abs(e.Loss-theirs[j].Loss) > 1e-3 {
				return fmt.Errorf("%s: the loss of sub-network %d is %g, whittle's is %g", r.Teacher, j, e.Loss, theirs[j].Loss)
			}
		}
	}
	r.Ratios["of the teacher's time"] = medianOf(size)
	if r.Whittle != nil {
		r.Ratios["times whittle's speed"], r.Ratios["times whittle's speed of counting"] = medianOf(speed), medianOf(counting)
	}
	return nil
}

func (r searchRace) print(w io.Writer, skipped string) {
	what, asked := fmt.Sprintf("%s, %s, %d tokens", r.Teacher, r.Bin, r.Tokens), "1.0"
	if r.Teacher == benchTeacher {
		asked = "1.3"
	}
	var rates []float64
	for _, turn := range r.Ours {
		rates = append(rates, float64(r.Tokens*(len(turn)-1))/turnSeconds(turn))
	}
	fmt.Fprintf(w, "%s\t%.0f tokens/s\t\t%d candidates, medians of %d turns\n", what, medianOf(rates), len(r.Ours[0])-1, len(r.Ours))
	fmt.Fprintf(w, "  of the teacher's time\t%.2f\t%s\ta candidate's mean\n", r.Ratios["of the teacher's time"],
		map[bool]string{true: "at most 0.4 at 30M", false: ""}[r.Teacher == benchTeacher])
	if skipped != "" {
		fmt.Fprintf(w, "  beside whittle\tnot measured\t%s\t%s\n", asked, skipped)
		return
	}
	fmt.Fprintf(w, "  times whittle's speed\t%.2f\t%s\tthe same sub-networks and tokens, taking turns\n", r.Ratios["times whittle's speed"], asked)
	fmt.Fprintf(w, "  times whittle's speed of counting\t%.0f\t1000\tparameters of the same sub-networks\n", r.Ratios["times whittle's speed of counting"])
}
