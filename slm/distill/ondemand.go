package distill

import (
	"context"

	"github.com/gomlx/compute"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// OnDemand is a teacher that is not in memory: a run whose loss needs none, or whose teacher's logits were kept for all its batches
// (see [Trainer.TeachFrom]), ends without ever loading it.
type OnDemand struct {
	Config slm.Config
	// Kept is what the student's sub-network keeps of the teacher's weights, such as [export.Cut] reads from its files: the student's
	// first weights, unless they are random or an exported student's. It is not used after [NewOnDemand].
	//
	// [export.Cut]: https://pkg.go.dev/github.com/offshoot-ml/offshoot/slm/export#Cut
	Kept checkpoint.Source
	// Load gives the teacher to a step that asks it: to each such step, so it should load it once. The trainer does not close it.
	Load func(ctx context.Context) (*model.Teacher, error)
}

// NewOnDemand is [New] for a teacher that is not in memory.
func NewOnDemand(backend compute.Backend, teacher OnDemand, d slm.Distillation, data Data, validation []int32) (*Trainer, error) {
	return newTrainer(backend, teacher, d, data, validation)
}
