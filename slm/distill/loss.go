package distill

import (
	"cmp"
	"slices"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// lossGraph is the weighted sum of a loss's terms, and the plain cross-entropy beside it; both are means over the N
// tokens, in nats per token. targets are [N] int32; student and teacher are what the terms need of them. dials are the weight
// and the temperature of each term, [terms, 2], as [dialsOf] gives them.
func lossGraph(loss slm.Loss, dials *Node, student said, teacher taught, targets *Node) (total, crossEntropy *Node) {
	crossEntropy = ReduceAllMean(model.CrossEntropy(student.logits, targets))
	for i, term := range loss.Terms {
		weight, temperature := dial(dials, i, 0), dial(dials, i, 1)
		value := crossEntropy
		switch term.Kind {
		case slm.CrossEntropyTerm:
		case slm.HiddenStatesTerm:
			value = ofStates(student.states, teacher.states)
		default:
			value = divergence(term, temperature, student.logits, teacher)
		}
		if loss.Balanced && term.Kind != slm.CrossEntropyTerm {
			value = Mul(value, balance(crossEntropy, value))
		}
		value = Mul(value, weight)
		if total == nil {
			total = value
		} else {
			total = Add(total, value)
		}
	}
	return total, crossEntropy
}

// said is a student's part of a loss: its logits [N, V], and its hidden states in the teacher's width, [B, T, E], where they are
// compared.
type said struct {
	logits *Node
	states []*Node
}

// taught is a teacher's part of a loss: its logits [N, V]; or its likeliest tokens, [N, K] int32, and their log-probabilities at the
// loss's temperature, [N, K], best first; or nothing. And its hidden states, [B, T, E], where they are compared.
type taught struct {
	logits, tokens, logs *Node
	states               []*Node
}

// taughtBy names the inputs that [Trainer.teach] gives for a loss.
func taughtBy(loss slm.Loss, in []*Node) (t taught) {
	logits := len(in) - loss.Pairs()
	t.states = in[logits:]
	switch logits {
	case 1:
		t.logits = in[0]
	case 2:
		t.tokens, t.logs = in[0], in[1]
	}
	return t
}

// dialsOf are the numbers of a loss that may change without another program: weight and temperature of each term.
func dialsOf(loss slm.Loss) [][]float32 {
	out := make([][]float32, len(loss.Terms))
	for i, t := range loss.Terms {
		out[i] = []float32{float32(t.Weight), float32(cmp.Or(t.Temperature, 1))}
	}
	return out
}

// dial is one of them, a scalar.
func dial(dials *Node, term, which int) *Node {
	return Reshape(Slice(dials, AxisElem(term), AxisElem(which)))
}

// balance is how many times a divergence must count to count as much as the cross-entropy; 1 where it is zero.
func balance(crossEntropy, divergence *Node) *Node {
	isZero := Equal(divergence, ZerosLike(divergence))
	ratio := Div(crossEntropy, Where(isZero, OnesLike(divergence), divergence))
	return StopGradient(Where(isZero, OnesLike(ratio), ratio))
}

// divergence is the mean over tokens of a term that compares logits: see [slm.Divergence] for its formula.
func divergence(term slm.LossTerm, temperature, student *Node, teacher taught) *Node {
	switch {
	case teacher.logits == nil:
		q, p := logProbabilities(Div(student, temperature)), teacher.logs
		return ofOutcomes(term, temperature, withTail(p), withTail(pickEach(q, teacher.tokens)))
	case slices.Contains([]slm.Divergence{slm.L1Term, slm.L2Term, slm.MMDTerm}, term.Kind):
		return ofLogits(term, student, teacher.logits)
	}
	if term.Kind == slm.ForwardKLTerm && term.TopK == 0 {
		return Mul(ReduceAllMean(forwardKL(student, teacher.logits, temperature)), Square(temperature))
	}
	z, p := Div(student, temperature), Div(teacher.logits, temperature)
	if term.Kind == slm.WhittleSoftCrossEntropyTerm {
		return Neg(ReduceAllMean(ReduceSum(Mul(p, logProbabilities(z)), -1)))
	}
	q := logProbabilities(z)
	p = logProbabilities(p)
	if term.TopK > 0 {
		q, p = topOutcomes(q, p, term.TopK)
	}
	return ofOutcomes(term, temperature, p, q)
}

// ofOutcomes is the mean of a term of log-probabilities, [N, K] each, over N tokens.
func ofOutcomes(term slm.LossTerm, temperature, p, q *Node) *Node {
	if term.Kind == slm.CosineTerm {
		return OneMinus(ReduceAllMean(cosine(Exp(p), Exp(q))))
	}
	return Mul(ReduceAllMean(ofDistributions(term, p, q)), Square(temperature))
}

// ofDistributions is a divergence of log-probabilities, [N, K] each, for each of N tokens.
func ofDistributions(term slm.LossTerm, p, q *Node) *Node {
	switch term.Kind {
	case slm.ForwardKLTerm:
		return relativeEntropy(p, q)
	case slm.ReverseKLTerm:
		return relativeEntropy(q, p)
	case slm.SymmetricKLTerm:
		reverse := term.Reverse
		if reverse == 0 {
			reverse = 0.5
		}
		return Add(MulScalar(relativeEntropy(p, q), 1-reverse), MulScalar(relativeEntropy(q, p), reverse))
	case slm.SoftCrossEntropyTerm:
		return Neg(ReduceSum(Mul(Exp(p), q), -1))
	}
	mean := logMean(p, q)
	if term.Kind == slm.WhittleJensenShannonTerm {
		return MulScalar(Add(relativeEntropy(mean, q), relativeEntropy(mean, p)), 0.5)
	}
	return MulScalar(Add(relativeEntropy(p, mean), relativeEntropy(q, mean)), 0.5)
}

// logProbabilities are log softmax over the last axis.
func logProbabilities(logits *Node) *Node {
	return Sub(logits, ExpandAxes(model.LogSumExp(logits), -1))
}

// relativeEntropy is KL(a ‖ b) of log-probabilities, over the last axis.
func relativeEntropy(a, b *Node) *Node { return ReduceSum(Mul(Exp(a), Sub(a, b)), -1) }

// logMean is log ½(exp a + exp b), kept from underflow by the larger.
func logMean(a, b *Node) *Node {
	larger := StopGradient(Max(a, b))
	sum := Add(Exp(Sub(a, larger)), Exp(Sub(b, larger)))
	return Add(Log(MulScalar(sum, 0.5)), larger)
}

func cosine(a, b *Node) *Node {
	norms := Mul(ReduceSum(Square(a), -1), ReduceSum(Square(b), -1))
	return Div(ReduceSum(Mul(a, b), -1), Sqrt(norms))
}

// forwardKL is KL(p ‖ q) for each token from the teacher's logits a and the student's b at temperature T: Σ p·(a − b)/T − logΣexp(a/T) +
// logΣexp(b/T). It needs no log-probability of either and divides sums, so that few passes go over the logits.
func forwardKL(student, teacher, temperature *Node) *Node {
	_, logSumStudent := exponentials(student, temperature)
	weights, logSumTeacher := exponentials(teacher, temperature)
	difference := Div(ReduceSum(Mul(weights, Sub(teacher, student)), -1), Mul(ReduceSum(weights, -1), temperature))
	return Add(Sub(difference, logSumTeacher), logSumStudent)
}

// exponentials are exp(x/T) relative to each row's largest, [N, V], and logΣexp(x/T), [N].
func exponentials(logits, temperature *Node) (weights, logSum *Node) {
	largest := StopGradient(ReduceAndKeep(logits, ReduceMax, -1))
	weights = Exp(Div(Sub(logits, largest), temperature))
	return weights, Add(Log(ReduceSum(weights, -1)), Div(Squeeze(largest, -1), temperature))
}

// leastTail is the least probability of all tokens but the likeliest: its logarithm is finite, and rounding cannot make it
// negative.
const leastTail = 1e-7

// topOutcomes reduces log-probabilities [N, V] to those of the teacher's k likeliest tokens and, last, of all others together:
// [N, k+1] each.
func topOutcomes(q, p *Node, k int) (topQ, topP *Node) {
	if k >= p.Shape().Dim(-1) {
		return q, p
	}
	topP, tokens := TopK(p, k, -1)
	topQ = pickEach(q, tokens)
	return withTail(topQ), withTail(topP)
}

// pickEach takes of each row of x, [N, V], the elements of the same row of columns, [N, k].
func pickEach(x, columns *Node) *Node {
	rows := Iota(x.Graph(), columns.Shape().Clone(), 0)
	at := Add(MulScalar(rows, x.Shape().Dim(-1)), columns)
	return Gather(Reshape(x, -1), ExpandAxes(at, -1))
}

// withTail appends to log-probabilities that of everything else.
func withTail(top *Node) *Node {
	tail := OneMinus(ReduceAndKeep(Exp(top), ReduceSum, -1))
	return Concatenate([]*Node{top, Log(MaxScalar(tail, leastTail))}, -1)
}

// ofLogits is a term that compares logits, [N, V] each, not distributions.
func ofLogits(term slm.LossTerm, student, teacher *Node) *Node {
	if term.TopK > 0 && term.TopK < teacher.Shape().Dim(-1) {
		var tokens *Node
		teacher, tokens = TopK(teacher, term.TopK, -1)
		student = pickEach(student, tokens)
	}
	switch term.Kind {
	case slm.L1Term:
		return ReduceAllMean(Abs(Sub(student, teacher)))
	case slm.L2Term:
		return ReduceAllMean(Square(Sub(student, teacher)))
	}
	return meanDiscrepancy(student, teacher, term.Bandwidth)
}

// meanDiscrepancy is the squared maximum mean discrepancy between the rows of x and of y, [N, V] each, with a Gaussian kernel
// (Gretton et al. 2012, Journal of Machine Learning Research 13, equation 5, the biased estimate).
func meanDiscrepancy(x, y *Node, bandwidth float64) *Node {
	across := distances(x, y)
	var variance *Node // σ²
	if bandwidth > 0 {
		variance = ConstAs(x, bandwidth*bandwidth)
	} else {
		variance = MaxScalar(StopGradient(ReduceAllMean(across)), 1e-12)
	}
	kernel := func(d *Node) *Node { return ReduceAllMean(Exp(Neg(Div(d, MulScalar(variance, 2))))) }
	return Sub(Add(kernel(distances(x, x)), kernel(distances(y, y))), MulScalar(kernel(across), 2))
}

// distances are the squared Euclidean distances of the rows of x and y: [N, M].
func distances(x, y *Node) *Node {
	products := DotGeneral(x, []int{1}, nil, y, []int{1}, nil)
	sums := Add(ReduceAndKeep(Square(x), ReduceSum, -1), Reshape(ReduceSum(Square(y), -1), 1, -1))
	return MaxScalar(Sub(sums, MulScalar(products, 2)), 0)
}
