package paper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// Confirmation is the environment variable that lets the notebooks begin at the paper's own scale without asking in a cell.
const Confirmation = "OFFSHOOT_CONFIRM"

// utilization is of the device's peak, for the plan: what training reaches on a GPU where it is fast. A laptop's cores are planned
// at the same, as their peak is a guess in any case.
const utilization = 0.4

// Planned is what a distillation at a size takes, for all budgets of tokens: of the sub-network at the teacher's proportions.
func (s Scale) Planned(size Size) (slm.Plan, error) {
	teacher, err := s.Architecture()
	if err != nil {
		return slm.Plan{}, err
	}
	sizes, err := slm.CoarseUniform.Proportional(teacher, size.Bin)
	if err != nil {
		return slm.Plan{}, err
	}
	device, err := slm.ParseDevice(s.Device)
	if err != nil {
		return slm.Plan{}, err
	}
	kind := s.Run.Type
	if kind == "" {
		kind = slm.Float32
	}
	return slm.Planned{Teacher: teacher, Student: slm.Model{Config: teacher, Subnet: sizes.Subnet(teacher)}, Batch: s.Run.Batch, SeqLen: s.Run.SeqLen,
		Type: kind, Checkpointing: s.Run.Checkpointing, Tokens: s.Budgets, Device: device, Utilization: utilization}.Plan()
}

// WritePlan says what a distillation at each size takes: memory of the device, and for each budget its operations, its time, and the
// tokens and checkpoints on the disk.
func (s Scale) WritePlan(w io.Writer) error {
	fmt.Fprintf(w, "scale %s: teacher %s, steps of %d sequences of %d tokens, planned for %s at %.0f%% of its peak\n", s.Name, s.Teacher, s.Run.Batch, s.Run.SeqLen,
		s.Device, 100*utilization)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "students\treference\ttokens\tmemory\tFLOPs\ttime\tdisk\t")
	for _, size := range s.Sizes {
		p, err := s.Planned(size)
		if err != nil {
			return fmt.Errorf("plan of %s: %w", size.Name, err)
		}
		for _, b := range p.Budgets {
			memory := gigabytes(p.Memory.Total)
			if !p.Fits {
				memory += " (too much)"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%.2g\t%s\t%s\t\n", size.Name, size.Reference, slm.Count(b.Tokens), memory, b.FLOPs, duration(b.Seconds),
				gigabytes(b.Shards+keptCheckpoints*p.CheckpointFile))
		}
	}
	return table.Flush()
}

// keptCheckpoints is how many a run keeps, to go back to.
const keptCheckpoints = 4

func gigabytes(bytes int64) string { return fmt.Sprintf("%.2g GB", float64(bytes)/1e9) }

func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d > 48*time.Hour {
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	}
	return d.Round(time.Second).String()
}

// Confirm is an error unless the experiments may begin: at the paper's own scale they take weeks, and want to be confirmed, in the
// notebook's cell or by [Confirmation].
func (s Scale) Confirm(confirmed bool) error {
	if s.Name == "paper" && !confirmed && os.Getenv(Confirmation) != "yes" {
		return errors.New("read the plan above; to begin, say `const confirmed = true` in this cell, or set " + Confirmation +
			"=yes. Whatever stops it, running the notebook again goes on")
	}
	return nil
}
