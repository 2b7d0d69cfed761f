package export

import (
	"bytes"
	"encoding/json"

	"github.com/offshoot-ml/offshoot/slm"
)

// Layers is how a student whose layers may differ is written.
type Layers string

// The ways. All give the same logits.
const (
	// Auto is Uniform where that is possible; else Padded, if the padding is at most half as large as the student; else Code.
	Auto Layers = "auto"
	// Uniform is a plain model of the teacher's family, with the student's parameters and no others.
	Uniform Layers = "uniform"
	// Padded is a plain model of the teacher's family, all of whose layers have the sizes of the largest: see
	// [Student.Plain]. Every program that knows the family runs it.
	Padded Layers = "padded"
	// Code is the student's own layers, with two files of Python that transformers runs for who trusts them
	// (trust_remote_code).
	Code Layers = "code"
)

// Record is what a student's folder says about it in offshoot.json, for programs.
type Record struct {
	Version    int        `json:"offshoot_student"` // of this record: 1
	Layers     Layers     `json:"layers"`           // Uniform, Padded or Code
	DType      DType      `json:"dtype"`
	Files      []string   `json:"files"`
	Parameters int64      `json:"parameters"`     // of the student
	Padding    int64      `json:"padding"`        // parameters that the files hold beside them
	Model      slm.Config `json:"model,omitzero"` // the plain model in the files; none with Code
	Teacher    slm.Config `json:"teacher_config"`
	Subnet     slm.Subnet `json:"subnet"`
	Tokenizer  Tokenizer  `json:"tokenizer"`
	Provenance Provenance `json:"provenance"`
}

// text is the record as JSON.
func (r Record) text() ([]byte, error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Indent(&out, raw, "", "  ")
	out.WriteByte('\n')
	return out.Bytes(), err
}

// recordVersion is raised when older programs would misread a record.
const recordVersion = 1

// The names of files.
const (
	recordFile = "offshoot.json"
	configFile = "config.json"
	cardFile   = "README.md"
)
