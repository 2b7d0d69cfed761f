package paper

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/offshoot-ml/offshoot/slm"
)

// Confirmation is the environment variable that lets the notebooks begin at the paper's own scale without asking in a cell.
const Confirmation = "OFFSHOOT_CONFIRM"

// utilization is of the device's peak, for the plan: what training reaches on a GPU where it is fast. A laptop's cores are planned
// at the same, as their peak is a guess in any case.
const utilization = 0.4

// Planned is what a distillation at a size takes, for all budgets of tokens: of [Scale.FirstN].
func (s Scale) Planned(size Size) (slm.Plan, error) {
	teacher, err := s.Architecture()
	if err != nil {
		return slm.Plan{}, err
	}
	subnet, err := s.FirstN(size)
	if err != nil {
		return slm.Plan{}, err
	}
	device, err := slm.ParseDevice(s.Device)
	if err != nil {
		return slm.Plan{}, err
	}
	return slm.Planned{Teacher: teacher, Student: slm.Model{Config: teacher, Subnet: subnet}, Batch: s.Run.Batch * s.Run.Batches(), SeqLen: s.Run.SeqLen,
		Accumulate: s.Run.Batches(), Type: cmp.Or(s.Run.Type, slm.Float32), Checkpointing: s.Run.Checkpointing, Tokens: s.Budgets, Device: device, Utilization: utilization}.Plan()
}

// WritePlan says what a distillation at each size takes: memory of the device, and for each budget its operations, its time, and the
// tokens and checkpoints on the disk, beside the teacher's file.
func (s Scale) WritePlan(w io.Writer) error {
	teacher, err := s.Architecture()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "scale %s: teacher %s (%s on the disk), steps of %d sequences of %d tokens, planned for %s at %.0f%% of its peak\n", s.Name, s.Teacher,
		slm.Amount(float64(publishedBytes*slm.Subnet{}.Parameters(teacher).Total()), "B"), s.Run.Batch*s.Run.Batches(), s.Run.SeqLen, s.Device, 100*utilization)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "students\treference\ttokens\tmemory\tFLOPs\ttime\tdisk\t")
	for _, size := range s.Sizes {
		p, err := s.Planned(size)
		if err != nil {
			return fmt.Errorf("plan of %s: %w", size.Name, err)
		}
		memory := slm.Amount(float64(p.Memory.Total), "B")
		if !p.Fits {
			memory += " (too much)"
		}
		for _, b := range p.Budgets {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%.2g\t%s\t%s\t\n", size.Name, size.Reference, slm.Count(b.Tokens), memory, b.FLOPs, slm.Duration(b.Seconds),
				slm.Amount(float64(b.Shards+keptCheckpoints*p.CheckpointFile), "B"))
		}
	}
	return table.Flush()
}

// publishedBytes is the size of a number in a teacher's file: both families are published in 16 bits.
const publishedBytes = 2

// keptCheckpoints is how many a run keeps, to go back to.
const keptCheckpoints = 4

// Confirm is an error unless the experiments may begin: at the paper's own scale they take weeks, and want to be confirmed, in the
// notebook's cell or by [Confirmation].
func (s Scale) Confirm(confirmed bool) error {
	if s.Asks && !confirmed && os.Getenv(Confirmation) != "yes" {
		return errors.New("read the plan above; to begin, say `const confirmed = true` in this cell, or set " + Confirmation +
			"=yes. Whatever stops it, running the notebook again goes on")
	}
	return nil
}
