package check

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/slm"
)

// Embedding judges how many parameters the token embedding of a model has: a row of its width for each token of its vocabulary.
func Embedding(model slm.Config, answer int64) Verdict {
	e := exercise{"1.1 The embedding", "a row for each token of the vocabulary (Vocab), as wide as the model (Embd)"}
	right := slm.Subnet{}.Parameters(model).Embedding
	return e.count(answer, right, fmt.Sprintf("%d tokens times %d dimensions are %s parameters.", model.Vocab, model.Embd, thousands(right)),
		mistake{2 * float64(right), "that counts the output head too. It has a matrix of the same size, but is a part of its own.", ""},
		mistake{float64(model.Vocab + model.Embd), "that adds the vocabulary and the width. A matrix has rows times columns.", ""},
		mistake{float64(model.Vocab), "that is how many tokens there are. Each has a row of numbers, not one.", ""},
		mistake{float64(model.Embd), "that is the row of one token. Each token of the vocabulary has one.", ""},
		mistake{float64(model.Context * model.Embd), "that takes the context, how many tokens the model reads at once. The embedding has a row for each token that there is.", ""})
}
