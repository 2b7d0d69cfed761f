package plots

import (
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestOverlapNumbers(t *testing.T) {
	first := slm.Subnet{Embd: slm.First(6), Layers: []slm.LayerSubnet{{Layer: 1, Heads: slm.IndicesOf(0, 1, 2), FFN: slm.First(100)}}}
	second := slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 1, QueryGroups: slm.IndicesOf(1), Heads: slm.IndicesOf(2, 3), FFN: slm.IndicesOf(0, 99, 100, 200)}}}
	o := overlapNumbers(tiny, first, second, keepers)
	heads, headSize, ffn := o.units.panels[0], o.units.panels[1], o.units.panels[2]
	for _, c := range []struct {
		name string
		got  []run
		want []run
	}{
		{"heads", heads.runs, []run{at(1, 0, 1, keptByFirst), at(1, 1, 2, keptByFirst), at(1, 2, 3, keptByBoth), at(1, 3, 4, keptBySecond)}},
		{"head size", headSize.runs, []run{at(1, 0, 2, keptByBoth)}},
		{"FFN", ffn.runs, []run{at(1, 0, 2, keptByBoth), at(1, 2, 100, keptByFirst), at(1, 100, 102, keptBySecond)}},
		{"embedding", o.units.embd.runs, []run{at(0, 0, 6, keptByBoth), at(0, 6, 8, keptBySecond)}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	if !reflect.DeepEqual(o.units.pale, []bool{true, false}) {
		t.Errorf("layers that neither keeps: %v", o.units.pale)
	}
	if o.name(); o.units.panels[0].name != "heads by query group\n25% in both" {
		t.Errorf("the heads' axis says %q", o.units.panels[0].name)
	}
	// Layer by layer: query groups, heads, head size and neurons of both, the first, the second, neither.
	if want := "[null,[[1,1,0,0],[1,2,1,0],[2,0,0,0],[2,98,2,154]]]"; !strings.Contains(o.tooltip(), want) {
		t.Errorf("the tooltip is %s, without %s", o.tooltip(), want)
	}
}

func TestOverlapOfAnotherTeacher(t *testing.T) {
	for _, pair := range [][2]slm.Subnet{{{Embd: slm.First(9)}, {}}, {{}, {Embd: slm.First(9)}}} {
		if _, err := Overlap(tiny, pair[0], pair[1]).SVG(); err == nil || !strings.Contains(err.Error(), "embd: index 8") {
			t.Errorf("a sub-network that does not fit: %v", err)
		}
	}
}

func TestOverlapPictures(t *testing.T) {
	needECharts(t)
	p := sampleSearch(t, 8, 1)
	for _, c := range []struct {
		name   string
		figure Figure
		mostKB int
		want   []string
	}{
		{"two candidates", Overlap(p.Teacher, p.Candidates[0].Subnet, p.Candidates[3].Subnet), 60, []string{"smollm2-135m", "both: ", "second only: ", "FFN neurons"}},
		{"the same", Overlap(tiny, slm.Subnet{}, slm.Subnet{}), 20, []string{"The two are the same"}},
		{"96 layers by 128 heads", Overlap(largest, sampleSubnet(largest, 1), sampleSubnet(largest, 2)), 300, []string{"layers. Pale: neither."}},
	} {
		t.Run(c.name, func(t *testing.T) { checkPicture(t, c.figure, c.mostKB, c.want...) })
	}
}
