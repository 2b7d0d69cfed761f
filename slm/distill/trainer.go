package distill

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"
	gomlx "github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
	"github.com/gomlx/gomlx/ml/train"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// Data feeds a trainer: windows of seqLen+1 tokens, and a position to resume from, exact to the token.
type Data interface {
	// Next is the next batch, [batch, seqLen+1] row-major.
	Next(ctx context.Context) ([]int32, error)
	// Position is where the next batch begins, as JSON.
	Position() ([]byte, error)
	// Seek goes to a position that Position gave.
	Seek(position []byte) error
	// Separator is the token that ends a document, for [slm.Distillation.DocumentMask].
	Separator() int32
}

// ErrDiverged is wrapped by the error of a step whose loss is not a finite number.
var ErrDiverged = errors.New("the training diverged")

// adamEpsilon is PyTorch's default, added to the denominator of an Adam step.
const adamEpsilon = 1e-8

// Trainer pretrains one student. Its methods are for one goroutine at a time.
type Trainer struct {
	Distillation slm.Distillation
	Student      *model.Student

	backend    compute.Backend
	changes    []slm.Change
	now        slm.Distillation                              // with the changes so far: that of the step's program
	load       func(context.Context) (*model.Teacher, error) // gives the teacher; nil where there is none
	logits     *Logits                                       // nil: the teacher is asked in every step
	devices    *devices
	data       Data
	validation []int32 // held-out windows of SeqLen+1 tokens
	step       *gomlx.Exec
	gather     *gomlx.Exec // of all batches of a step but the last
	steps      int
	tokens     int64
	begun      bool // it has weights to train: those of New, of Begin or of Load
}

// New makes a trainer: the student's first weights come from the teacher or from a seed, as d says; those of an exported student
// come with [Trainer.Begin]. validation are held-out windows of d.SeqLen+1 tokens. The first step compiles, which takes some
// seconds.
func New(backend compute.Backend, teacher *model.Teacher, d slm.Distillation, data Data, validation []int32) (*Trainer, error) {
	t := OnDemand{Config: teacher.Config, Load: func(context.Context) (*model.Teacher, error) { return teacher, nil }}
	if d.Init == slm.FromTeacher {
		weights, err := teacher.Extract(d.Subnet)
		if err != nil {
			return nil, err
		}
		t.Kept = weights
	}
	return newTrainer(backend, t, d, data, validation)
}

// NewAlone is [New] for a student of an architecture that has no teacher yet: it begins with random weights, and its loss is
// plain cross-entropy.
func NewAlone(backend compute.Backend, architecture slm.Config, d slm.Distillation, data Data, validation []int32) (*Trainer, error) {
	if d.Init != slm.FromRandom || d.Loss.NeedsTeacher() {
		return nil, fmt.Errorf("distillation: init %q with the loss %s needs a teacher; without one, take %q and %s", d.Init, d.Loss, slm.FromRandom, slm.CE(1))
	}
	return newTrainer(backend, OnDemand{Config: architecture}, d, data, validation)
}

func newTrainer(backend compute.Backend, teacher OnDemand, d slm.Distillation, data Data, validation []int32) (*Trainer, error) {
	if err := errors.Join(teacher.Config.Validate(), d.Validate(teacher.Config)); err != nil {
		return nil, err
	}
	weights := teacher.Kept
	if d.Init != slm.FromTeacher {
		weights = model.RandomWeights(teacher.Config, d.Subnet, d.WeightsSeed) // in place of those of Begin, too
	}
	student, err := model.NewStudent(backend, teacher.Config, d.Subnet, weights)
	if err != nil {
		return nil, err
	}
	if d.DocumentMask {
		student.Separator = new(data.Separator())
	}
	t := &Trainer{Distillation: d, Student: student, backend: backend, now: d, load: teacher.Load, data: data, validation: validation,
		begun: d.Init != slm.FromExport}
	if err := t.programs(); err != nil {
		student.Close()
		return nil, err
	}
	return t, nil
}

// programs makes those of a step, for the loss that holds now.
func (t *Trainer) programs() error {
	if t.now.Loss.Pairs() > 0 {
		if err := t.makeProjection(); err != nil {
			return err
		}
	}
	step, err := gomlx.NewExec(t.backend, t.Student.Store, t.stepGraph)
	if err != nil {
		return err
	}
	gather, err := gomlx.NewExec(t.backend, t.Student.Store, t.gatherGraph)
	if err != nil {
		step.Finalize()
		return err
	}
	t.finalize()
	t.step, t.gather = t.devices.over(step), t.devices.over(gather)
	return nil
}

func (t *Trainer) finalize() {
	if t.step != nil {
		t.step.Finalize()
		t.gather.Finalize()
	}
}

// Follow sets the changes of the run, past and to come. Weights, temperatures and learning rates change at once; a loss with
// other terms compiles anew, in its first step.
func (t *Trainer) Follow(changes []slm.Change) error {
	for _, c := range changes {
		if err := t.Distillation.Accepts(c, t.Student.Teacher); err != nil {
			return err
		}
		if t.logits != nil && !c.Loss.IsZero() {
			if err := t.logits.serves(c.Loss); err != nil {
				return fmt.Errorf("change: %w", err)
			}
		}
		if c.Loss.NeedsTeacher() && t.load == nil {
			return fmt.Errorf("change: the loss %s needs a teacher, and the run has none", c.Loss)
		}
	}
	t.changes = slices.Clone(changes)
	return nil
}

// settle takes over what holds in the next step.
func (t *Trainer) settle() error {
	before := t.now
	t.now = t.Distillation.At(t.steps, t.changes)
	if reflect.DeepEqual(t.now.Loss.Shape(), before.Loss.Shape()) {
		return nil
	}
	if err := t.programs(); err != nil {
		t.now = before
		return err
	}
	return nil
}

// Begin gives the student its first weights where they are those of an exported one, under the names of [slm.Subnet.Tensors]. A
// trainer that goes on from a checkpoint does without.
func (t *Trainer) Begin(weights checkpoint.Source) error {
	for name := range t.Distillation.Subnet.Tensors(t.Student.Teacher) {
		shape := t.Student.Store.GetVariable("/" + name).Shape()
		first := checkpoint.Tensor{Shape: shape.Dimensions, Data: make([]float32, shape.Size())}
		if err := weights.Read(name, first.Data); err != nil {
			return fmt.Errorf("first weights: %w", err)
		}
		if err := t.restore("/"+name, first); err != nil {
			return fmt.Errorf("first weights: %s: %w", name, err)
		}
	}
	t.begun = true
	return nil
}

// errNotBegun is of a trainer that has no weights yet.
var errNotBegun = errors.New("the student has no weights yet: it begins with an exported student's, or goes on from a checkpoint")

// Steps is the number of steps done.
func (t *Trainer) Steps() int { return t.steps }

// Step takes one step and reports it. When ctx is cancelled before the step began, nothing has happened; a step that
// has begun is finished. The error of a loss that is not finite wraps [ErrDiverged]: the weights are then lost, and
// the last checkpoint should be loaded.
func (t *Trainer) Step(ctx context.Context) (slm.Point, error) {
	if err := ctx.Err(); err != nil {
		return slm.Point{}, err
	}
	if !t.begun {
		return slm.Point{}, errNotBegun
	}
	start := time.Now()
	before, err := t.data.Position()
	if err != nil {
		return slm.Point{}, err
	}
	point, err := t.update(ctx)
	if err != nil {
		return slm.Point{}, errors.Join(err, t.data.Seek(before))
	}
	point.Seconds = time.Since(start).Seconds()
	return point, nil
}

// update takes the batches of a step. What the first ones gathered is only used by the last: a step that fails leaves it
// behind, and the next one begins with none.
func (t *Trainer) update(ctx context.Context) (slm.Point, error) {
	if err := t.settle(); err != nil {
		return slm.Point{}, err
	}
	d, rate := t.now, t.now.Schedule.Rate(t.steps)
	var sums [3]float64 // loss, cross-entropy, gradient norm
	var spent slm.Spent
	for i := range d.Batches() {
		program := t.gather
		if i == d.Batches()-1 {
			program = t.step
		}
		values, err := t.batch(ctx, program, rate, i, &spent)
		if err != nil {
			return slm.Point{}, fmt.Errorf("step %d: %w", t.steps+1, err)
		}
		for j, v := range values {
			sums[j] += v
		}
	}
	t.steps++
	t.tokens += int64(d.StepTokens())
	n := float64(d.Batches())
	point := slm.Point{Step: t.steps, Tokens: t.tokens, Rate: rate, Loss: sums[0] / n, CE: sums[1] / n, GradNorm: sums[2], Spent: spent}
	if math.IsNaN(point.Loss) || math.IsInf(point.Loss, 0) || math.IsNaN(point.GradNorm) {
		return point, fmt.Errorf("%w at step %d: the loss is %g; continue from the last checkpoint with a lower learning rate (now %.2g) or a longer warm-up",
			ErrDiverged, t.steps, point.Loss, rate)
	}
	return point, nil
}

// batch runs one of the step's programs on its i-th batch, and returns its numbers. It adds its time to spent: a program's call,
// the teacher's too, returns when the device is done.
func (t *Trainer) batch(ctx context.Context, program *gomlx.Exec, rate float64, i int, spent *slm.Spent) ([]float64, error) {
	batch, clock := t.steps*t.now.Batches()+i, time.Now()
	windows, err := t.data.Next(ctx)
	if err != nil {
		return nil, fmt.Errorf("training data: %w", err)
	}
	clock = lap(clock, &spent.Data)
	inputs, targets := model.SplitWindows(windows, t.now.SeqLen)
	defer inputs.MustFinalizeAll()
	defer targets.MustFinalizeAll()
	kept := float32(1) // of the gradients gathered before
	if i == 0 {
		kept = 0
	}
	args := []any{inputs, targets, float32(rate), kept, dialsOf(t.now.Loss)}
	teaching, err := t.teach(ctx, batch, windows, inputs)
	if err != nil {
		return nil, fmt.Errorf("teacher: %w", err)
	}
	if len(teaching) > 0 {
		clock = lap(clock, &spent.Teacher)
	}
	for _, part := range teaching {
		defer part.FinalizeAll()
		args = append(args, part)
	}
	out, err := t.devices.call(program, args)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(out))
	for i := range out {
		values[i] = float64(tensors.ToScalar[float32](out[i]))
		out[i].MustFinalizeAll()
	}
	lap(clock, &spent.Student)
	return values, nil
}

// lap adds the seconds since a moment, and returns the present one.
func lap(since time.Time, seconds *float64) time.Time {
	now := time.Now()
	*seconds += now.Sub(since).Seconds()
	return now
}

// gradients are those of a batch's loss with respect to the trainable variables, in the order of [trainable]. Inputs are
// tokens [B, T], targets [B, T], the learning rate, how much of the gathered gradients counts (0 or 1), the loss's dials, and
// what [Trainer.teach] gives.
func (t *Trainer) gradients(scope *gomlx.Scope, in []*Node) (loss, crossEntropy *Node, gradients []*Node) {
	tokens, targets, dials := in[0], in[1], in[4]
	logits, states := t.Student.ForwardGraph(scope, tokens, model.Computing{Type: t.now.Type, Checkpointing: t.now.Checkpointing})
	student := said{logits: logits, states: t.projected(scope, states)}
	loss, crossEntropy = lossGraph(t.now.Loss, dials, student, taughtBy(t.now.Loss, in[5:]), Reshape(targets, -1))
	return loss, crossEntropy, scope.BuildTrainableVariablesGradientsGraph(loss)
}

// gatherGraph adds a batch's gradients to those of the step's batches before it. It returns loss and cross-entropy.
func (t *Trainer) gatherGraph(scope *gomlx.Scope, in []*Node) []*Node {
	loss, crossEntropy, gradients := t.gradients(scope, in)
	for i, v := range gathered(scope, loss.Graph()) {
		v.SetNodeValue(Add(Mul(v.NodeValue(loss.Graph()), in[3]), gradients[i]))
	}
	return []*Node{loss, crossEntropy}
}

// gatheredScope is where gathered gradients are. Between steps they mean nothing.
const gatheredScope = "gathered"

// gathered are the variables of gathered gradients, one for each trainable variable that the graph uses.
func gathered(scope *gomlx.Scope, g *Graph) (out []*gomlx.Variable) {
	at := scope.At(gatheredScope).WithInitializer(initializer.Zero)
	for _, v := range trainable(scope, g) {
		out = append(out, at.VariableWithShape(v.Name(), v.Shape()).SetTrainable(false))
	}
	return out
}

// trainable are the variables that a graph uses and training changes, in the order of their gradients.
func trainable(scope *gomlx.Scope, g *Graph) (out []*gomlx.Variable) {
	for v := range scope.IterVariables() {
		if v.Trainable && v.InUseByGraph(g) {
			out = append(out, v)
		}
	}
	return out
}

// stepGraph is the last batch of a step: it updates the weights by the mean of the gradients of all its batches. It returns
// loss, cross-entropy and the gradient's norm.
func (t *Trainer) stepGraph(scope *gomlx.Scope, in []*Node) []*Node {
	rate := in[2]
	loss, crossEntropy, gradients := t.gradients(scope, in)
	if n := t.now.Batches(); n > 1 {
		for i, v := range gathered(scope, loss.Graph()) {
			gradients[i] = MulScalar(Add(v.NodeValue(loss.Graph()), gradients[i]), 1/float64(n))
		}
	}
	norm := globalNorm(gradients)
	// PyTorch's clip_grad_norm_: scale by clip/(norm + 1e-6) where that is below 1.
	scale := MinScalar(Div(ConstAs(norm, t.Distillation.Clip), AddScalar(norm, 1e-6)), 1)
	for i := range gradients {
		gradients[i] = Mul(gradients[i], scale)
	}
	t.decay(scope, rate)
	optimizer.LearningRateVar(scope, dtypes.Float32, 0).SetNodeValue(rate)
	adam := optimizer.Adam().Betas(t.Distillation.Beta1, t.Distillation.Beta2).Epsilon(adamEpsilon).Done()
	adam.(train.OptimizeWithGradients).UpdateGraphWithGradients(scope, gradients, dtypes.Float32)
	return []*Node{loss, crossEntropy, norm}
}

// decay shrinks matrices, not norms and biases, by rate·decay before the Adam step: AdamW (Loshchilov and Hutter 2019, arXiv
// 1711.05101, algorithm 2), in the order of PyTorch's.
func (t *Trainer) decay(scope *gomlx.Scope, rate *Node) {
	keep := OneMinus(MulScalar(rate, t.Distillation.WeightDecay))
	for _, v := range trainable(scope, rate.Graph()) {
		if t.Student.IsMatrix(v.Name()) || v.Name() == projection {
			v.SetNodeValue(Mul(v.NodeValue(rate), keep))
		}
	}
}

// globalNorm is the L2 norm of all gradients together.
func globalNorm(gradients []*Node) *Node {
	sum := ReduceAllSum(Square(gradients[0]))
	for _, g := range gradients[1:] {
		sum = Add(sum, ReduceAllSum(Square(g)))
	}
	return Sqrt(sum)
}

// Validate is the student's mean cross-entropy on the held-out windows, in nats per token.
func (t *Trainer) Validate(ctx context.Context) (float64, error) {
	if !t.begun {
		return 0, errNotBegun
	}
	return t.Student.Loss(ctx, t.validation, t.Distillation.SeqLen)
}

// Close frees the device's memory.
func (t *Trainer) Close() {
	t.finalize()
	t.devices.close()
	t.Student.Close()
}
