package plots

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// equalScores has the same score for n units.
func equalScores(score float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = score
	}
	return out
}

func TestImportanceNumbers(t *testing.T) {
	steep := equalScores(1, 256)
	steep[200] = 256 // the first when sorted; the mean is 511/256
	n := importanceNumbers(tiny, slm.Importance{Method: "made up", Layers: []float64{1, 3}, Heads: [][]float64{{1, 1, 1, 5}, {2, 2, 2, 2}},
		QueryGroups: [][]float64{{1, 3}, {0, 0}}, FFN: [][]float64{equalScores(7, 256), steep}, Embd: equalScores(0.5, 8)})
	if want := []string{"", "head", "query group", "neurons ranked", "embedding dimensions ranked"}; !reflect.DeepEqual(n.what, want) {
		t.Fatalf("panels %q, want %q", n.what, want)
	}
	levels := func(runs []run) (out [][3]float64) {
		for _, r := range runs {
			out = append(out, [3]float64{float64(r.row), float64(r.level), r.value})
		}
		return out
	}
	mean := 511. / 256
	for panel, want := range [][][3]float64{
		{{0, 1, 0.5}, {1, 4, 1.5}},
		{{0, 1, 0.5}, {0, 1, 0.5}, {0, 1, 0.5}, {0, 5, 2.5}, {1, 3, 1}, {1, 3, 1}, {1, 3, 1}, {1, 3, 1}},
		{{0, 1, 0.5}, {0, 4, 1.5}, {1, 3, 1}, {1, 3, 1}}, // scores of zero tell nothing apart
		{{0, 3, 1}, {1, 6, 259. / 4 / mean}, {1, 2, 1 / mean}},
		{{0, 3, 1}},
	} {
		got := levels(n.units.all()[panel].runs)
		same := len(got) == len(want)
		for i := range min(len(got), len(want)) {
			for k := range 3 {
				same = same && math.Abs(got[i][k]-want[i][k]) < 1e-9
			}
		}
		if !same {
			t.Errorf("panel %d: %v, want %v", panel, got, want)
		}
	}
	if !reflect.DeepEqual(n.means[1], []float64{2, 2}) || !reflect.DeepEqual(n.top, []int{1, 0}) {
		t.Errorf("means of heads %v, layers from the top %v", n.means[1], n.top)
	}
	if want := (128./256 + 1./256) / 2; math.Abs(n.half-want) > 1e-12 {
		t.Errorf("half of the score is in %g of the neurons, want %g", n.half, want)
	}
}

func TestLayerImportanceCaptions(t *testing.T) {
	for _, c := range []struct {
		name string
		i    slm.Importance
		want string
	}{
		{"dropped", slm.Importance{Method: slm.LayerDrop, Layers: []float64{math.Log(4), -math.Log(2)}},
			"Without layer 0 perplexity is ×4.00, which costs most; without layer 1 it is ×0.50."},
		{"scored", slm.Importance{Method: "block importance", Layers: []float64{0.02, 0.98125}}, "Layer 1 scores highest (0.981), layer 0 lowest (0.02)."},
	} {
		if got := layerImportanceNumbers(tiny, c.i).caption(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// The axis ends where most layers can be told apart.
func TestLayerImportanceAxis(t *testing.T) {
	for _, c := range []struct {
		scores []float64
		end    float64
	}{
		{[]float64{8.18, 0.04, 0.02, 0.03, 0.07, 0.08, 0.15, 0.2}, 0.25}, // three quarters of them are up to 0.15
		{[]float64{5.2, 0.4, 0.2, 0.1, 0.2, 0.9}, 1},
		{[]float64{2, 1, 1, 3}, 0},
		{[]float64{5, -1, -1, -1}, 0}, // nothing to compare it with
		{[]float64{1}, 0}, {nil, 0},
	} {
		if n := layerImportanceNumbers(tiny, slm.Importance{Layers: c.scores}); n.end != c.end {
			t.Errorf("%v: the axis ends at %g, want %g", c.scores, n.end, c.end)
		}
	}
}

func TestImportancePictures(t *testing.T) {
	needECharts(t)
	big := slm.Importance{Method: "norms", Layers: equalScores(1, 96), Embd: equalScores(1, largest.Embd)}
	for l := range largest.Layers {
		big.Heads, big.FFN = append(big.Heads, equalScores(float64(l+1), 128)), append(big.FFN, equalScores(1, largest.FFN))
		big.Heads[l][l] *= 9
		big.FFN[l][l] *= 1e6
	}
	drop, fiveLayers := slm.Importance{Method: slm.LayerDrop, Layers: []float64{2.5, -0.01}}, tiny
	fiveLayers.Layers = 5
	for _, c := range []struct {
		name   string
		figure Figure
		mostKB int
		want   []string
	}{
		{"96 layers by 128 heads", Importance(largest, big), 200, []string{"Importance in largest (norms)", "more (times the mean)"}},
		{"embedding alone", Importance(tiny, slm.Importance{Method: "m", Embd: equalScores(1, 8)}), 20, []string{"embedding dimensions, sorted"}},
		{"layers alone", Importance(tiny, drop), 20, []string{"Each layer of tiny dropped", "loss added (nats per token)"}},
		{"96 layers", LayerImportance(largest, slm.Importance{Method: "block importance", Layers: equalScores(0.1, 96)}), 40, []string{"score", "layer"}},
		{"a high layer", LayerImportance(fiveLayers, slm.Importance{Method: slm.LayerDrop, Layers: []float64{8.18, 0.1, 0.2, 0.1, 0.3}}), 40, []string{"↑8.2", "0.4"}},
		{"nothing", Importance(tiny, slm.Importance{}), 5, []string{"Nothing has been measured."}},
		{"no layers", LayerImportance(tiny, slm.Importance{}), 5, []string{"Layers have not been measured."}},
	} {
		t.Run(c.name, func(t *testing.T) { checkPicture(t, c.figure, c.mostKB, c.want...) })
	}
	for _, f := range []Figure{Importance(largest, drop), LayerImportance(largest, drop)} {
		if _, err := f.SVG(); err == nil || !strings.Contains(err.Error(), "96") && !strings.Contains(err.Error(), "2 scores") {
			t.Errorf("an importance of another teacher: %v", err)
		}
	}
}
