package distill

import (
	"context"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// NewWarmer prepares the training of candidates for a few steps: one batch of windows of plan.SeqLen+1 tokens for each. The
// steps are those of a [Trainer] with the same loss and schedule, and the other settings at their defaults.
func NewWarmer(ctx context.Context, teacher *model.Teacher, plan slm.Warm, batches [][]int32) (*model.Warmer, error) {
	return model.NewWarmer(ctx, teacher, plan, func(student, teacher, targets *Node) *Node {
		total, _ := lossGraph(plan.Loss, Const(student.Graph(), dialsOf(plan.Loss)), said{logits: student}, taught{logits: teacher}, targets)
		return total
	}, batches)
}
