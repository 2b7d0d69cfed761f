package plots_test

import (
	"fmt"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

func ExampleText() {
	reads := func(model string, losses ...float64) slm.Predicted { // in a cell: teacher.Predict(text), run.Predict(text)
		p := slm.Predicted{Model: model}
		for i, token := range []string{"a", " little", " fox"} {
			p.Tokens = append(p.Tokens, slm.PredictedToken{Text: token, Loss: losses[i], Expected: []slm.Likely{{Text: " the", Probability: 0.1}}})
		}
		return p
	}
	teacher, student := reads("teacher", 1, 2, 3), reads("student", 1, 4, 2.5)
	fmt.Println(plots.Text(teacher).Caption)
	fmt.Println(plots.Text(teacher, student).Caption)
	// Output:
	// Orange: hard to predict. Mean 2.000 nats per token, perplexity 7.389. Hardest: “fox”, 3.0.
	// Orange: harder for student than teacher. Blue: easier. Mean loss 2.500, 2.000.
}

func ExampleNextTokens() {
	reads := func(model string, fox, dog float64) slm.Predicted { // in a cell: teacher.Predict(text), run.Predict(text)
		return slm.Predicted{Model: model, Tokens: []slm.PredictedToken{{Text: "a"}, {ID: 1, Text: " little"}},
			Next: []slm.Likely{{ID: 2, Text: " fox", Probability: fox}, {ID: 3, Text: " dog", Probability: dog}}}
	}
	fmt.Println(plots.NextTokens(1, reads("teacher", 0.4, 0.2), reads("student", 0.3, 0.1)).Caption)
	// Output: After “a little”. Likeliest: “·fox” of teacher.
}

func ExampleAttention() {
	looks := slm.Attention{Model: "teacher", Tokens: []string{"a", " fox"}, // in a cell: teacher.Attention(text, layers, heads)
		Maps: []slm.AttentionMap{{Layer: 5, Head: 1, Weights: [][]float32{{1}, {0.8, 0.2}}}}}
	figure := plots.Attention(looks)
	fmt.Println(figure.Title)
	fmt.Println(figure.Caption)
	// Output:
	// Attention of teacher, layer 5, head 1
	// Rows look at columns. The stronger, the more. On the first token, “a”: 80%.
}
