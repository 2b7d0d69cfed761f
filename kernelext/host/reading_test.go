package main

import (
	"math"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// A teacher and a run's student read a text: as many tokens as it has, whose pieces make it up, each with a loss; and a student at
// step 0 is the sub-network in place.
func TestReadings(t *testing.T) {
	_, client := newLab(t)
	d := slm.Distillation{Teacher: "tiny", Subnet: killedRun.Subnet, Data: slm.Data{Paths: []string{storiesFile(t)}}, SeqLen: 16, EvalTokens: 64}
	if _, err := client.Distill(t.Context(), "run", d, nil); err != nil {
		t.Fatal(err)
	}
	const text = "a little fox"
	asked := kernelext.Reading{Text: text, Subnet: killedRun.Subnet}
	inPlace, err := client.Predict(t.Context(), "tiny", asked, nil)
	if err != nil {
		t.Fatal(err)
	}
	student, err := client.PredictRun(t.Context(), "run", kernelext.Reading{Text: text}, nil)
	if err != nil || len(student.Tokens) != len(inPlace.Tokens) {
		t.Fatalf("%d and %d tokens (%v)", len(student.Tokens), len(inPlace.Tokens), err)
	}
	pieces := ""
	for i, token := range student.Tokens {
		pieces += token.Text
		if !token.IsPredicted() || !(token.Loss > 0) || math.Abs(token.Loss-inPlace.Tokens[i].Loss) > 1e-4 {
			t.Errorf("token %q has loss %g, in place %g", token.Text, token.Loss, inPlace.Tokens[i].Loss)
		}
	}
	if pieces != text || len(student.Next) != slm.MostLikely {
		t.Errorf("the pieces make %q; %d likeliest tokens", pieces, len(student.Next))
	}
	attention, err := client.AttentionRun(t.Context(), "run", kernelext.Reading{Text: text}, nil)
	if err != nil {
		t.Fatal(err)
	}
	asked.Layers = slm.IndicesOf(attention.Maps[0].Layer)
	same, err := client.Attention(t.Context(), "tiny", asked, nil)
	if err != nil || len(attention.Tokens) != 1+len(student.Tokens) || len(same.Tokens) != len(attention.Tokens) {
		t.Fatalf("%q, %q (%v)", attention.Tokens, same.Tokens, err)
	}
	for i, m := range same.Maps {
		last, sum := m.Weights[len(m.Weights)-1], 0.0
		for k, weight := range last {
			sum += float64(weight)
			if math.Abs(float64(weight-attention.Maps[i].Weights[len(last)-1][k])) > 1e-4 {
				t.Errorf("layer %d, head %d: the last token looks at token %d with %g, in the student with %g", m.Layer, m.Head, k, weight, attention.Maps[i].Weights[len(last)-1][k])
			}
		}
		if math.Abs(sum-1) > 1e-4 {
			t.Errorf("weights of layer %d, head %d sum to %g", m.Layer, m.Head, sum)
		}
	}
	_, err = client.Predict(t.Context(), "tiny", kernelext.Reading{Text: strings.Repeat("fox ", 40)}, nil)
	if err == nil || !strings.Contains(err.Error(), "want 1 to 31: take a part") {
		t.Errorf("a long text: %v", err)
	}
}
