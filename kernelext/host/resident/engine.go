package resident

import (
	"context"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// Engine computes. The host calls it from one job at a time.
type Engine interface {
	// Backend starts the accelerator and describes it, such as "xla:cpu" and a processor's name.
	Backend(ctx context.Context) (backend, device string, err error)
	// Devices are the accelerator's as they are now. It may be called at any time after Backend.
	Devices(ctx context.Context) []kernelext.Device
	// OpenTeacher opens a teacher: from a file or folder, or by the name of a repository or a published architecture.
	OpenTeacher(ctx context.Context, reference string, report Report) (Teacher, error)
	// Peak is how many operations a second so many of the accelerator's devices can do in matrix products of a type.
	Peak(ctx context.Context, numbers slm.NumberType, devices int) (flops float64, err error)
	// EvaluateRun measures a run's student on a text, as of one of its checkpoints.
	EvaluateRun(ctx context.Context, history History, e slm.Evaluation, report Report) (slm.Evaluated, error)
	// Start reads an exported student from its folder, with which a sub-network of a teacher is to begin; asked for none, it is the
	// student's own, where the teacher is. It reports a folder without one, and a student that is not that sub-network.
	Start(ctx context.Context, folder string, teacher slm.Config, asked slm.Subnet) (Start, error)
	// Export writes a student from files. It does not use the accelerator, and may run beside the other calls.
	Export(ctx context.Context, e Export, report Report) (kernelext.Exported, error)
}

// Start is an exported student with which a run begins.
type Start struct {
	Subnet slm.Subnet
	SHA256 string // of its weights
}

// Export is a student to be written: that of a run as of its last checkpoint, or what a sub-network keeps of a teacher.
type Export struct {
	kernelext.Export
	Run     *History // nil for a teacher's sub-network
	Teacher string   // where the teacher comes from, as for OpenTeacher
}

// Report tells how far something is. Total is 0 when it is not known.
type Report func(message string, done, total int64)

// Model is a teacher, or a run's student, and what it makes of a text.
type Model interface {
	// Generate continues a prompt, and returns the new text.
	Generate(ctx context.Context, prompt string, g slm.Generation) (string, error)
	// Predict is what it expects of a text, token by token. A text that is too long is an error of code Invalid.
	Predict(ctx context.Context, r kernelext.Reading) (slm.Predicted, error)
	// Attention is where its heads look while it reads a text. Errors are those of Predict, and a choice of no head or too many.
	Attention(ctx context.Context, r kernelext.Reading) (slm.Attention, error)
}

// Teacher is an open teacher. It is loaded before Prepare, Loss, Importance, WarmLoss, Evaluate and the calls of a Model; the rest
// needs no weights, or loads them itself.
type Teacher interface {
	Model
	Config() slm.Config
	SHA256() string // of its file, or of what identifies the repository's revision
	Bytes() int64   // that its weights hold in memory, 0 until they are loaded; it may be called at any time
	Corpus() string // names the text of Held and of training
	// Pretrained is how many tokens it was trained on, where that is known, and 0 elsewhere.
	Pretrained() int64
	// Load brings the weights into memory, unless they are there.
	Load(ctx context.Context, report Report) error
	// Held returns held-out tokens of a text, the Corpus where it is none, as windows of seqLen predicted tokens, one after the other, each with seqLen+1
	// tokens; the same ones every time.
	Held(ctx context.Context, data slm.Data, tokens, seqLen int, report Report) ([]int32, error)
	// Prepare compiles what the candidates of a search need on so many windows, so that nothing is compiled while it runs.
	Prepare(ctx context.Context, search slm.Search, windows, seqLen int, report Report) error
	// Loss is the mean cross-entropy of a sub-network on such windows, in nats per token.
	Loss(ctx context.Context, subnet slm.Subnet, windows []int32, seqLen int) (float64, error)
	// Importance scores units by their activations on tokens of the training text, in windows of seqLen, or by their
	// weights, and layers by their block importance on that text.
	Importance(ctx context.Context, by slm.Reorder, tokens, seqLen int, report Report) (slm.Importance, error)
	// WarmLoss is Loss after the steps of a plan.
	WarmLoss(ctx context.Context, plan slm.Warm, subnet slm.Subnet, windows []int32, seqLen int, report Report) (float64, error)
	// Evaluate measures the teacher on a text.
	Evaluate(ctx context.Context, e slm.Evaluation, report Report) (slm.Evaluated, error)
	// GenerateSubnet is Generate by a sub-network in place.
	GenerateSubnet(ctx context.Context, subnet slm.Subnet, prompt string, g slm.Generation) (string, error)
	// Trainer prepares a student of this teacher at step 0.
	Trainer(ctx context.Context, d slm.Distillation, report Report) (Trainer, error)
}

// Trainer trains one student.
type Trainer interface {
	Model
	Steps() int   // done
	Bytes() int64 // that it holds in memory
	// Begin takes the first weights from where the options say. A trainer that loads a checkpoint does without.
	Begin(ctx context.Context) error
	// Step does one step, and loads the teacher if the step needs it. After an error the trainer is not used any more.
	Step(ctx context.Context, report Report) (slm.Point, error)
	// Validate is the held-out cross-entropy.
	Validate(ctx context.Context) (float64, error)
	// Follow sets the changes of the run, past and to come: each holds from its step on.
	Follow(changes []slm.Change) error
	// Spread makes the next steps run on so many devices; an error changes nothing.
	Spread(devices int) error
	// Save writes everything that training goes on from; the file appears whole or not at all.
	Save(path string) error
	// Load goes back to what Save wrote.
	Load(path string) error
	Close()
}
