package distill

import (
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// lossGraph is the weighted sum of a loss's terms, and the plain cross-entropy beside it; both are means over the N
// tokens, in nats per token. student and teacher are logits [N, V], targets [N] int32; teacher is nil where no term
// needs it.
func lossGraph(loss slm.Loss, student, teacher, targets *Node) (total, crossEntropy *Node) {
	crossEntropy = ReduceAllMean(model.CrossEntropy(student, targets))
	for _, term := range loss.Terms {
		value := crossEntropy
		if term.Kind == slm.ForwardKLTerm {
			value = forwardKL(student, teacher, term.Temperature)
		}
		value = MulScalar(value, term.Weight)
		if total == nil {
			total = value
		} else {
			total = Add(total, value)
		}
	}
	return total, crossEntropy
}

// forwardKL is t²·KL(p ‖ q) for the teacher's p and the student's q at temperature t, the mean over tokens (Hinton et
// al. 2015, arXiv 1503.02531, section 2.1). With logits a and b at that temperature it is
// Σ p·(a − b) − logΣexp(a) + logΣexp(b), which needs no log-probability of either.
func forwardKL(student, teacher *Node, temperature float64) *Node {
	if temperature == 0 {
		temperature = 1
	}
	a, b := MulScalar(teacher, 1/temperature), MulScalar(student, 1/temperature)
	logSumA, logSumB := model.LogSumExp(a), model.LogSumExp(b)
	p := Exp(Sub(a, ExpandAxes(logSumA, -1)))
	divergence := Add(Sub(ReduceSum(Mul(p, Sub(a, b)), -1), logSumA), logSumB)
	return MulScalar(ReduceAllMean(divergence), temperature*temperature)
}
