package plots

import (
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// tiny has two layers of four heads in two query groups.
var tiny = slm.Config{Name: "tiny", Family: slm.Llama, Layers: 2, Embd: 8, Heads: 4, QueryGroups: 2, HeadSize: 2, FFN: 256,
	Vocab: 16, Context: 32, NormEps: 1e-5, RopeTheta: 1e4, Tied: true}

func TestMaskNumbers(t *testing.T) {
	m := maskNumbers(tiny, slm.Subnet{Embd: slm.First(6), Layers: []slm.LayerSubnet{
		{Layer: 1, Heads: slm.IndicesOf(0, 2, 3), FFN: slm.First(130)}}})
	if !reflect.DeepEqual(m.kept, []bool{false, true}) {
		t.Errorf("kept layers %v", m.kept)
	}
	if want := []run{{1, 0, 1, 4}, {1, 2.6, 3.6, 4}, {1, 3.6, 4.6, 4}}; !reflect.DeepEqual(m.heads.runs, want) {
		t.Errorf("heads %v, want %v", m.heads.runs, want)
	}
	if want := []run{{1, 1, 2, 4}}; !reflect.DeepEqual(m.heads.track, want) {
		t.Errorf("dropped heads %v, want %v", m.heads.track, want)
	}
	// 64 bins of 4 neurons: 32 whole ones in one run, then half of one.
	if want := []run{{1, 0, 128, 4}, {1, 128, 132, 2}}; !reflect.DeepEqual(m.ffn.runs, want) {
		t.Errorf("FFN %v, want %v", m.ffn.runs, want)
	}
	if want := []run{{0, 0, 6, 4}}; !reflect.DeepEqual(m.embd.runs, want) {
		t.Errorf("embedding %v, want %v", m.embd.runs, want)
	}
	for _, c := range []struct {
		name      string
		panel     panel
		count, of int
	}{{"heads", m.heads, 3, 8}, {"ffn", m.ffn, 130, 512}, {"embd", m.embd, 6, 8}} {
		if c.panel.count != c.count || c.panel.of != c.of {
			t.Errorf("%s: %d of %d kept, want %d of %d", c.name, c.panel.count, c.panel.of, c.count, c.of)
		}
	}
	if want := "<b>layer 0</b>: dropped"; m.stories[0] != want {
		t.Errorf("layer 0 tells %q", m.stories[0])
	}
	if !strings.Contains(m.stories[1], "heads 0,2-3 (3 of 4)") {
		t.Errorf("layer 1 tells %q", m.stories[1])
	}
}

func TestBinsCoverEveryUnit(t *testing.T) {
	for _, size := range []int{1, 2, 63, 64, 65, 576, 1000, 1536} {
		var p panel
		p.addBinned(0, slm.Indices{}, size)
		if want := []run{{0, 0, float64(size), 4}}; !reflect.DeepEqual(p.runs, want) {
			t.Errorf("%d units: %v, want one run of all", size, p.runs)
		}
	}
}

func TestMaskOfAnotherTeacher(t *testing.T) {
	f := Mask(tiny, slm.Subnet{Embd: slm.First(9)})
	if _, err := f.SVG(); err == nil || !strings.Contains(err.Error(), "tiny") {
		t.Errorf("a sub-network that does not fit: %v", err)
	}
	if html := f.HTML(); !strings.Contains(html, "embd: index 8") {
		t.Errorf("the page does not say what is wrong: %s", html)
	}
}
