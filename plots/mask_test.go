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

// at is a run without a value.
func at(row, from, to, level int) run {
	return run{row: row, from: from, to: to, level: level}
}

func TestMaskNumbers(t *testing.T) {
	m := maskNumbers(tiny, slm.Subnet{Embd: slm.First(6), Layers: []slm.LayerSubnet{
		{Layer: 1, Heads: slm.IndicesOf(0, 2, 3), FFN: slm.First(130)}}})
	if !reflect.DeepEqual(m.kept, []bool{false, true}) {
		t.Errorf("kept layers %v", m.kept)
	}
	for _, c := range []struct {
		name      string
		panel     panel
		runs      []run
		count, of int
	}{
		{"heads", m.heads, []run{at(1, 0, 1, 4), at(1, 2, 3, 4), at(1, 3, 4, 4)}, 3, 8},
		{"head size", m.headSize, []run{at(1, 0, 2, 4)}, 2, 4},
		// 64 bins of 4 neurons: 32 whole ones in one run, then half of one.
		{"FFN", m.ffn, []run{at(1, 0, 128, 4), at(1, 128, 132, 2)}, 130, 512},
		{"embedding", m.dim, []run{at(0, 0, 6, 4)}, 6, 8},
	} {
		if !reflect.DeepEqual(c.panel.runs, c.runs) {
			t.Errorf("%s: %v, want %v", c.name, c.panel.runs, c.runs)
		}
		if c.panel.count != c.count || c.panel.of != c.of {
			t.Errorf("%s: %d of %d kept, want %d of %d", c.name, c.panel.count, c.panel.of, c.count, c.of)
		}
	}
	if want := []run{at(1, 1, 2, 4)}; !reflect.DeepEqual(m.heads.track, want) {
		t.Errorf("dropped heads %v, want %v", m.heads.track, want)
	}
	if want := "<b>layer 0</b>: dropped"; m.stories[0] != want {
		t.Errorf("layer 0 tells %q", m.stories[0])
	}
	if !strings.Contains(m.stories[1], "heads 0,2-3 (3 of 4)") {
		t.Errorf("layer 1 tells %q", m.stories[1])
	}
}

// Where each head has a group of its own, naming the groups names the heads.
func TestMaskOfGroupsThatAreHeads(t *testing.T) {
	each := tiny
	each.QueryGroups = each.Heads
	m := maskNumbers(each, slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 0, QueryGroups: slm.IndicesOf(1)}}})
	if want := []run{at(0, 1, 2, 4)}; !reflect.DeepEqual(m.heads.runs, want) || m.heads.count != 1 {
		t.Errorf("heads %v, %d kept; want %v", m.heads.runs, m.heads.count, want)
	}
}

func TestBinsCoverEveryUnit(t *testing.T) {
	for _, rows := range []int{1, 30, 96} {
		for _, size := range []int{1, 2, 63, 64, 65, 576, 1000, 1536} {
			p := unitsPanel("", 1, size, rows)
			p.addBinned(0, slm.Indices{}, size, rows)
			if want := []run{at(0, 0, size, 4)}; !reflect.DeepEqual(p.runs, want) {
				t.Errorf("%d units, %d rows: %v, want one run of all", size, rows, p.runs)
			}
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
