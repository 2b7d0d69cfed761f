package export

import (
	"math"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// Provenance says where a student comes from. What is not known is left zero, and left out of the model card.
type Provenance struct {
	Name     string    `json:"name,omitzero"`     // of the student
	License  string    `json:"license,omitzero"`  // such as "apache-2.0"; of the student, if it is known
	Software string    `json:"software,omitzero"` // that made it, with its version
	Created  time.Time `json:"created,omitzero"`
	Teacher  Origin    `json:"teacher,omitzero"`
	Search   *Search   `json:"search,omitempty"`
	Training *Training `json:"training,omitempty"` // nil: its weights are its teacher's
	Measured []Loss    `json:"measured,omitempty"`
}

// Origin is where a teacher was read from.
type Origin struct {
	Name       string `json:"name,omitzero"`
	Repository string `json:"repository,omitzero"` // of Hugging Face, such as "EleutherAI/pythia-70m"
	Revision   string `json:"revision,omitzero"`   // its commit
	SHA256     string `json:"sha256,omitzero"`     // of its file, or of what identifies the repository's revision
	License    string `json:"license,omitzero"`
}

// Search is how a sub-network was found.
type Search struct {
	Name       string     `json:"name,omitzero"`
	Search     slm.Search `json:"search"`
	Evaluated  int        `json:"evaluated"`  // candidates
	Candidate  int        `json:"candidate"`  // its ID
	Generation int        `json:"generation"` // in which it was bred
	Loss       float64    `json:"loss"`       // held-out cross-entropy by which it was chosen, in nats per token
}

// Training is how a student was pretrained.
type Training struct {
	Name         string           `json:"name,omitzero"`
	Distillation slm.Distillation `json:"distillation"`
	Changes      []slm.Change     `json:"changes,omitempty"` // made while it was trained, in their order
	Steps        int              `json:"steps"`
	Tokens       int64            `json:"tokens"`          // predicted in them
	Corpus       string           `json:"corpus,omitzero"` // names the text
}

// Loss is a held-out cross-entropy.
type Loss struct {
	Model  string  `json:"model"` // such as "the teacher", "the student before training"
	Loss   float64 `json:"loss"`  // in nats per token
	Tokens int     `json:"tokens,omitzero"`
	Window int     `json:"window,omitzero"` // tokens that are predicted in a window
	Corpus string  `json:"corpus,omitzero"`
}

// Perplexity is exp(Loss).
func (l Loss) Perplexity() float64 { return math.Exp(l.Loss) }
