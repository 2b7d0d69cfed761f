package plots

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// generations are of a search in which the best candidate first has one layer of tiny, then the other too.
var generations = slm.Population{Name: "g", Teacher: tiny, Candidates: []slm.Candidate{
	{ID: 0, Generation: 0, Loss: 4, Subnet: slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 0}}}},
	{ID: 1, Generation: 0, Loss: 5, Subnet: slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 1}}}},
	{ID: 2, Generation: 1, Loss: math.Inf(1), Failure: "no loss"},
	{ID: 3, Generation: 3, Loss: 4.5, Subnet: slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 1, FFN: slm.First(64)}}}},
	{ID: 4, Generation: 3, Loss: 3, Subnet: slm.Subnet{}},
}}

func TestMaskHistoryNumbers(t *testing.T) {
	n := maskHistoryNumbers(generations)
	var ids []int
	for _, f := range n.frames {
		ids = append(ids, f.best.ID)
	}
	if !reflect.DeepEqual(ids, []int{0, 4}) {
		t.Fatalf("best candidates %v, want 0 and 4; generation 1 failed and 2 is empty", ids)
	}
	if got := n.frames[0].Parameters; got.First != 0 || got.Second != 0 {
		t.Errorf("the first frame has changes: %+v", got)
	}
	if want := []run{at(0, 0, 256, keptByBoth), at(1, 0, 256, keptBySecond)}; !reflect.DeepEqual(n.frames[1].units.panels[2].runs, want) {
		t.Errorf("neurons of the last frame %v, want %v", n.frames[1].units.panels[2].runs, want)
	}
	layer := 4*8*8 - 2*4*8 + 3*8*256 + 2*8 // queries and output, keys and values of half as many groups, FFN, norms
	if want := float64(16*8+8+layer) / float64(16*8+8+2*layer); math.Abs(n.stays-want) > 1e-12 {
		t.Errorf("the masks share %g, want %g", n.stays, want)
	}
	if want := fmt.Sprintf("Generation 3: #4, perplexity 20.1, 12.8k parameters (%s new), 2 layers", slm.Count(int64(layer))); n.frames[1].story() != want {
		t.Errorf("%q, want %q", n.frames[1].story(), want)
	}
}

func TestSpreadKeepsBothEnds(t *testing.T) {
	values := make([]int, 100)
	for i := range values {
		values[i] = i
	}
	for n, want := range map[int][]int{0: {0, 99}, 2: {0, 99}, 4: {0, 33, 66, 99}} {
		if got := spread(values, n); !reflect.DeepEqual(got, want) {
			t.Errorf("%d of 100: %v, want %v", n, got, want)
		}
	}
	if got := spread(values, 200); len(got) != 100 {
		t.Errorf("%d of 100 when 200 would do", len(got))
	}
}

func TestMaskHistoryPictures(t *testing.T) {
	needECharts(t)
	deep := slm.Population{Name: "deep", Teacher: largest}
	for i := range 60 {
		deep.Candidates = append(deep.Candidates, slm.Candidate{ID: i, Generation: i, Loss: 9, Subnet: sampleSubnet(largest, uint64(i%3))})
	}
	for _, c := range []struct {
		name   string
		figure Figure
		mostKB int
		want   []string
	}{
		{"search", MaskHistory(sampleSearch(t, 16, 4)), 60, []string{"Mask by generation 30M", "kept as before", "Generation 4: #", "Generation 0 to 4"}},
		{"one generation", MaskHistory(sampleSearch(t, 4, slm.InitialOnly)), 60, []string{"One generation so far"}},
		{"none", MaskHistory(slm.Population{Name: "new"}), 5, []string{"No candidate has been evaluated yet."}},
		{"60 generations of 96 layers by 128 heads", MaskHistory(deep), 100, []string{"Generation 59: #59"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			checkPicture(t, c.figure, c.mostKB, c.want...)
			if page, err := c.figure.script(); err != nil || len(page) > 500<<10 {
				t.Errorf("%d bytes of script, %v; want at most 500 KB", len(page), err)
			}
		})
	}
	stranger := generations
	stranger.Teacher.Layers = 1
	if _, err := MaskHistory(stranger).SVG(); err == nil || !strings.Contains(err.Error(), "#1") {
		t.Errorf("a candidate of another teacher: %v", err)
	}
}
