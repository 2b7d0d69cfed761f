package slm

import (
	"cmp"
	"fmt"
	"math"
)

// Evaluation asks how well a model predicts a text. Zero fields take the defaults of [Evaluation.WithDefaults].
type Evaluation struct {
	Data   Data `json:"data,omitzero"`   // the text; none is the Go installation's
	Whole  bool `json:"whole,omitzero"`  // on all documents, also those that runs on the same data train on
	Tokens int  `json:"tokens,omitzero"` // so many are predicted, in whole windows; a shorter text gives what it has
	SeqLen int  `json:"seq_len"`         // tokens of a window that are predicted
	Best   bool `json:"best,omitzero"`   // of a run: its kept checkpoint with the lowest held-out loss, not its last one

	// DocumentMask keeps attention within a document, where a window is of several. A student that was trained so, see
	// [Distillation.DocumentMask], is evaluated so in any case.
	DocumentMask bool `json:"document_mask,omitzero"`
}

// WithDefaults fills zero fields: 16,384 tokens in windows of 128, as runs are validated.
func (e Evaluation) WithDefaults() Evaluation {
	e.Tokens = cmp.Or(e.Tokens, 16384)
	e.SeqLen = cmp.Or(e.SeqLen, 128)
	return e
}

// Validate reports the first field that cannot work.
func (e Evaluation) Validate() error {
	if e.Tokens < 1 || e.SeqLen < 1 {
		return fmt.Errorf("evaluation: %d tokens in windows of %d: want at least 1", e.Tokens, e.SeqLen)
	}
	return e.Data.Validate()
}

// Text says in words what is evaluated, and how it is read.
func (e Evaluation) Text() string {
	text := e.Data.String() + ", documents held out from training"
	if e.Whole {
		text = e.Data.String() + ", the whole text"
	}
	if e.DocumentMask {
		text += ", attention within documents"
	}
	return text
}

// Evaluated is how well a model predicts a text.
type Evaluated struct {
	Model         string      `json:"model"`
	Steps         int         `json:"steps,omitzero"`  // that a run's student was trained for
	Parameters    int64       `json:"params"`          // without padding
	FLOPsPerToken int64       `json:"flops_per_token"` // forward, in windows of the evaluation's length
	Evaluation    *Evaluation `json:"evaluation,omitempty"`
	Documents     int         `json:"documents,omitzero"`
	Tokens        int         `json:"tokens"`                   // predicted
	Loss          float64     `json:"nll"`                      // mean negative log-likelihood, in nats per predicted token
	Perplexity    float64     `json:"perplexity"`               // exp(Loss)
	BytesPerToken float64     `json:"bytes_per_token,omitzero"` // of the documents' text in UTF-8; a document's end is a token, too
	BitsPerByte   float64     `json:"bits_per_byte,omitzero"`   // see BitsPerByte
	Seconds       float64     `json:"seconds,omitzero"`         // that evaluating took, without loading
}

// BitsPerByte turns a loss in nats per token into bits per byte of text, which compares models with different tokenizers on
// the same text: (L_T/L_B)·loss/ln 2, where L_B/L_T is the text's bytes per token (Gao et al. 2020, The Pile, arXiv
// 2101.00027, section 3.1).
func BitsPerByte(loss, bytesPerToken float64) float64 { return loss / math.Ln2 / bytesPerToken }
