package resident_test

import (
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// A teacher reads a text, and a run's student as of its last step; attention comes from the heads that are named, and kept.
func TestReadings(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "lab")
	distill(t, client, "run")
	must(t)(client.Steps(t.Context(), "run", 2, nil))
	p, err := client.Predict(t.Context(), "tiny", kernelext.Reading{Text: "one two"}, nil)
	if err != nil || p.Model != "tiny" || len(p.Tokens) != 2 || p.After(0)[0].Text != "two" {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err = client.PredictRun(t.Context(), "run", kernelext.Reading{Text: "one two"}, nil); err != nil || p.Model != "run" || p.Steps != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	asked := kernelext.Reading{Text: "one", Layers: slm.IndicesOf(3, 4), Heads: slm.IndicesOf(0), Subnet: slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 4}}}}
	a, err := client.Attention(t.Context(), "tiny", asked, nil)
	if err != nil || len(a.Maps) != 1 || a.Maps[0].Layer != 4 || a.Maps[0].Weights[0][0] != 1 || a.Model != "tiny" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestBadReadings(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "lab")
	distill(t, client, "run")
	_, err := client.Predict(t.Context(), "tiny", kernelext.Reading{}, nil)
	wantError(t, err, kernelext.Invalid, "want a text")
	_, err = client.Predict(t.Context(), "tiny", kernelext.Reading{Text: "one two three four"}, nil)
	wantError(t, err, kernelext.Invalid, "4 words: want 1 to 3")
	_, err = client.PredictRun(t.Context(), "run", kernelext.Reading{Text: "one", Subnet: slm.Subnet{Embd: slm.First(9)}}, nil)
	wantError(t, err, kernelext.Invalid, "a sub-network of its own")
	_, err = client.PredictRun(t.Context(), "none", kernelext.Reading{Text: "one"}, nil)
	wantError(t, err, kernelext.Unknown, "none")
	_, err = client.Attention(t.Context(), "tiny", kernelext.Reading{Text: "one"}, nil)
	wantError(t, err, kernelext.Invalid, "270 heads, want at most 64")
}
