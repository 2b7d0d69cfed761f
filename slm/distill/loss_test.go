package distill

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// recorded is what testdata/losses.py wrote.
type recorded struct {
	N, V             int
	Student, Teacher []float32
	Targets          []int32
	Whittle          []struct {
		Loss        string
		Temperature float64
		Scheme      string
		Value       float64
		Gradient    []float64
	}
	Torch []struct {
		Loss        slm.Divergence
		Temperature float64
		TopK        int `json:"top_k"`
		Value       float64
		Gradient    []float64
	}
}

// whittleTerms are our names of whittle's losses.
var whittleTerms = map[string]slm.LossTerm{
	"forward_kld":          {Kind: slm.ForwardKLTerm},
	"reverse_kld":          {Kind: slm.ReverseKLTerm},
	"symmetric_kld":        {Kind: slm.SymmetricKLTerm, Reverse: slm.WhittleReverse},
	"js_distance":          {Kind: slm.WhittleJensenShannonTerm},
	"simple_cross_entropy": {Kind: slm.WhittleSoftCrossEntropyTerm},
	"cosine_similarity":    {Kind: slm.CosineTerm},
	"l1_loss":              {Kind: slm.L1Term},
	"l2_loss":              {Kind: slm.L2Term},
	"mmd_loss":             {Kind: slm.MMDTerm, Bandwidth: 1},
}

func readLosses(t *testing.T) (r recorded) {
	t.Helper()
	text, err := os.ReadFile("testdata/losses.json")
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func lossBackend(t *testing.T) compute.Backend {
	t.Helper()
	backend, err := model.NewBackend()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { backend.Finalize() })
	return backend
}

// evaluate is a loss and its gradient with respect to the student's logits.
func (r recorded) evaluate(t *testing.T, backend compute.Backend, loss slm.Loss) (value float64, gradient []float32) {
	t.Helper()
	if err := loss.Validate(); err != nil {
		t.Fatal(err)
	}
	exec := MustNewExec(backend, func(student, teacher, targets, dials *Node) (*Node, *Node) {
		total, _ := lossGraph(loss.Shape(), dials, said{logits: student}, taught{logits: teacher}, targets)
		return total, Gradient(total, student)[0]
	})
	defer exec.Finalize()
	out := exec.MustCall(tensors.FromFlatDataAndDimensions(r.Student, r.N, r.V), tensors.FromFlatDataAndDimensions(r.Teacher, r.N, r.V), r.Targets, dialsOf(loss))
	return float64(tensors.ToScalar[float32](out[0])), tensors.MustCopyFlatData[float32](out[1])
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance*math.Max(1, math.Abs(b)) }

// The values are whittle's. So are the gradients, but those of its balanced losses, in which it differentiates the balance.
func TestLossesAgreeWithWhittle(t *testing.T) {
	r, backend := readLosses(t), lossBackend(t)
	for _, w := range r.Whittle {
		term, ok := whittleTerms[w.Loss]
		if !ok {
			t.Fatalf("no term for %s", w.Loss)
		}
		term.Weight, term.Temperature = 0.7, w.Temperature
		loss := slm.CE(0.3).Plus(slm.Loss{Terms: []slm.LossTerm{term}})
		if w.Scheme == "default" {
			loss.Balanced, loss.Terms[0].Weight, loss.Terms[1].Weight = true, 1, 1
		}
		value, gradient := r.evaluate(t, backend, loss)
		if !near(value, w.Value, 1e-5) {
			t.Errorf("%s: %.7f, whittle has %.7f", loss, value, w.Value)
		}
		for i, g := range gradient {
			if !loss.Balanced && !near(float64(g), w.Gradient[i], 1e-5) {
				t.Errorf("%s: gradient %d is %.7f, whittle has %.7f", loss, i, g, w.Gradient[i])
				break
			}
		}
	}
}

func TestLossesAgreeWithTheLiterature(t *testing.T) {
	r, backend := readLosses(t), lossBackend(t)
	for _, w := range r.Torch {
		loss := slm.Loss{Terms: []slm.LossTerm{{Kind: w.Loss, Weight: 1, Temperature: w.Temperature, TopK: w.TopK}}}
		value, gradient := r.evaluate(t, backend, loss)
		if !near(value, w.Value, 1e-5) {
			t.Errorf("%s: %.7f, torch has %.7f", loss, value, w.Value)
		}
		for i, g := range gradient {
			if !near(float64(g), w.Gradient[i], 1e-5) {
				t.Errorf("%s: gradient %d is %.7f, torch has %.7f", loss, i, g, w.Gradient[i])
				break
			}
		}
	}
}

// A divergence of the likeliest tokens never exceeds that of all, and of all tokens it is the same.
func TestTopNeverExceedsAll(t *testing.T) {
	r, backend := readLosses(t), lossBackend(t)
	for _, kind := range []slm.Divergence{slm.ForwardKLTerm, slm.ReverseKLTerm, slm.SymmetricKLTerm, slm.JensenShannonTerm} {
		before := 0.0
		for _, k := range []int{1, 4, r.V - 1, r.V, r.V + 1, 0} {
			loss := slm.Loss{Terms: []slm.LossTerm{{Kind: kind, Weight: 1, TopK: k}}}
			value, _ := r.evaluate(t, backend, loss)
			if value < before-1e-6 {
				t.Errorf("%s: %.7f is less than %.7f with fewer tokens", loss, value, before)
			}
			if k >= r.V-1 && !near(value, before, 1e-5) && k > r.V-1 {
				t.Errorf("%s: %.7f, want that of all tokens, %.7f", loss, value, before)
			}
			before = value
		}
	}
}

// A balanced loss counts each divergence as much as the cross-entropy, and trains by both.
func TestBalancedLossTrainsByBoth(t *testing.T) {
	r, backend := readLosses(t), lossBackend(t)
	ce, g := r.evaluate(t, backend, slm.CE(1))
	kl, h := r.evaluate(t, backend, slm.ForwardKL(1))
	value, gradient := r.evaluate(t, backend, slm.CE(1).Plus(slm.ForwardKL(0.5)).Balance())
	if !near(value, 1.5*ce, 1e-5) {
		t.Errorf("the balanced loss is %g, want %g", value, 1.5*ce)
	}
	for i := range gradient {
		if want := float64(g[i]) + 0.5*ce/kl*float64(h[i]); !near(float64(gradient[i]), want, 1e-5) {
			t.Fatalf("gradient %d is %g, want %g", i, gradient[i], want)
		}
	}
}

// Without a bandwidth, MMD is felt at any scale of the logits; with whittle's it is flat where they are far apart.
func TestDiscrepancyTakesTheScaleOfTheLogits(t *testing.T) {
	r, backend := readLosses(t), lossBackend(t)
	for i := range r.Student {
		r.Student[i], r.Teacher[i] = 30*r.Student[i], 30*r.Teacher[i]
	}
	if _, g := r.evaluate(t, backend, slm.MMD(1)); largest(g) < 1e-5 {
		t.Errorf("the gradient is at most %g: nothing trains", largest(g))
	}
	fixed := slm.Loss{Terms: []slm.LossTerm{{Kind: slm.MMDTerm, Weight: 1, Bandwidth: 1}}}
	if _, g := r.evaluate(t, backend, fixed); largest(g) > 1e-12 {
		t.Errorf("with σ = 1 the gradient is up to %g; the docs say that it vanishes", largest(g))
	}
}

func largest(values []float32) (most float64) {
	for _, v := range values {
		most = math.Max(most, math.Abs(float64(v)))
	}
	return most
}
