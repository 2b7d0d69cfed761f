package plots

import (
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// keeping are candidates of tiny: all keep layer 1, half of them layer 0.
var keeping = []slm.Candidate{
	{Subnet: slm.Subnet{Embd: slm.First(4), Layers: []slm.LayerSubnet{{Layer: 1, FFN: slm.First(128)}}}},
	{Subnet: slm.Subnet{Embd: slm.First(6), Layers: []slm.LayerSubnet{
		{Layer: 0, Heads: slm.IndicesOf(0, 2), FFN: slm.First(2)}, {Layer: 1, Heads: slm.IndicesOf(1, 3)}}}},
}

func TestKeptNumbers(t *testing.T) {
	n := keptNumbers(tiny, keeping)
	told := func(r run, value float64) run {
		r.value = value
		return r
	}
	for i, want := range [][]run{
		{told(at(0, 0, 1, 2), 0.5), told(at(1, 0, 1, 5), 1)},
		{told(at(0, 0, 1, 2), 0.5), told(at(0, 2, 3, 2), 0.5),
			told(at(1, 0, 1, 2), 0.5), told(at(1, 1, 2, 5), 1), told(at(1, 2, 3, 2), 0.5), told(at(1, 3, 4, 5), 1)},
		{told(at(0, 0, 2, 2), 0.5), told(at(1, 0, 2, 5), 1)},
		// Of the first four neurons half are kept by half the candidates.
		{told(at(0, 0, 4, 1), 0.25), told(at(1, 0, 128, 5), 1), told(at(1, 128, 256, 2), 0.5)},
		{told(at(0, 0, 4, 5), 1), told(at(0, 4, 6, 2), 0.5)},
	} {
		if got := n.units.all()[i].runs; !reflect.DeepEqual(got, want) {
			t.Errorf("panel %d: %v, want %v", i, got, want)
		}
	}
	if want := "Layers kept most often: 1 (100%); least: 0 (50%). Pale: units that none keeps."; n.caption() != want {
		t.Errorf("caption %q, want %q", n.caption(), want)
	}
}

func TestRunsThatTouchAreJoined(t *testing.T) {
	var p panel
	for i, v := range []float64{0.1, 0.2, 0.6} {
		p.add(run{row: 0, from: i, to: i + 1, level: keptLevel(v), value: v})
	}
	if len(p.runs) != 2 || rounded(p.runs[0].value, 9) != 0.15 || p.runs[0].to != 2 {
		t.Errorf("%v, want two runs, the first with the mean 0.15 of units 0 to 1", p.runs)
	}
}

func TestKeptPictures(t *testing.T) {
	needECharts(t)
	p := sampleSearch(t, 16, 2)
	ragged := []slm.Candidate{{Subnet: sampleSubnet(largest, 1)}, {Subnet: sampleSubnet(largest, 2)}, {Subnet: sampleSubnet(largest, 3)}}
	for _, c := range []struct {
		name   string
		figure Figure
		mostKB int
		want   []string
	}{
		{"population", Kept(p.Teacher, p.Candidates), 60, []string{"smollm2-135m", "up to 25%", "always", "1,536"}},
		{"one", Kept(tiny, keeping[:1]), 20, []string{"1 candidate of tiny", "Layers kept most often: 1 (100%)"}},
		{"none", Kept(tiny, nil), 20, []string{"No candidate has been evaluated yet."}},
		{"96 layers by 128 heads", Kept(largest, ragged), 300, []string{"3 candidates of largest"}},
	} {
		t.Run(c.name, func(t *testing.T) { checkPicture(t, c.figure, c.mostKB, c.want...) })
	}
	if _, err := Kept(tiny, []slm.Candidate{{ID: 7, Subnet: slm.Subnet{Embd: slm.First(9)}}}).SVG(); err == nil || !strings.Contains(err.Error(), "#7") {
		t.Errorf("a candidate of another teacher: %v", err)
	}
}
