package plots

import (
	"encoding/json"
	"testing"

	"github.com/dop251/goja"
)

// What inks.js unpacks are the runs.
func TestPackedRuns(t *testing.T) {
	vm := goja.New()
	if _, err := vm.RunString(inksScript); err != nil {
		t.Fatal(err)
	}
	runs := []run{{row: 1, from: 0, to: 2, value: -0.5}, {row: 1, from: 7, to: 8, value: 1.2345}, {row: 4, from: 3, to: 4}, {row: 0, from: 9, to: 12}}
	for _, c := range []struct {
		runs []run
		told bool
		want string
	}{
		{runs, false, "[[1,0,2],[1,7,8],[4,3,4],[0,9,12]]"},
		{runs, true, "[[1,0,2,-0.5],[1,7,8,1.23],[4,3,4,0],[0,9,12,0]]"},
		{nil, false, "[]"},
	} {
		text, err := json.Marshal(packed(c.runs, c.told))
		if err != nil {
			t.Fatal(err)
		}
		got, err := vm.RunString("JSON.stringify(inked(" + string(text) + ", {}))")
		if err != nil || got.String() != c.want {
			t.Errorf("%s became %v, %v; want %s", text, got, err, c.want)
		}
	}
}

// Runs do not reach across the gap between two groups, which is drawn.
func TestGapsPartRuns(t *testing.T) {
	p := panel{units: 6, group: 2}
	for unit := range p.units {
		p.add(run{from: unit, to: unit + 1, level: 1})
	}
	if len(p.runs) != 3 || p.runs[1] != (run{from: 2, to: 4, level: 1}) || p.at(4) != 4+2*groupGap || p.size() != 6+2*groupGap {
		t.Errorf("runs %v in a row of %g", p.runs, p.size())
	}
}
