package resident

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// A run's history is read beside the host that writes it, and its search is the one that evaluated its sub-network.
func TestReadHistoryBesideAWriter(t *testing.T) {
	ctx, home := t.Context(), t.TempDir()
	folder := filepath.Join(home, "labs", "lab")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := openStore(ctx, filepath.Join(folder, "lab.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	teacher := slm.Config{Name: "t", Family: slm.Llama, Layers: 2, Embd: 8, Heads: 2, QueryGroups: 1, HeadSize: 4, FFN: 6, Vocab: 9, Context: 16,
		NormEps: 1e-5, RopeTheta: 1e4}
	subnet := slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 1, FFN: slm.First(3)}}}
	spelled := subnet // the same, with a whole dimension written out
	spelled.Embd = slm.First(8)
	want := slm.Candidate{ID: 5, Generation: 2, Subnet: subnet, Loss: 3}
	run := slm.Curve{Name: "run", Teacher: teacher, Distillation: slm.Distillation{Teacher: "t", Subnet: spelled}.WithDefaults()}
	points := []slm.Point{{Validation: 9}, {Step: 1, Loss: 8}, {Step: 2, Validation: 7}}
	for _, err := range []error{
		s.useTeacher(ctx, "t", teacher, "abc"),
		s.putSearch(ctx, slm.Population{Name: "of another", Teacher: teacher, Search: slm.Search{Teacher: "u"}}),
		s.putCandidate(ctx, "of another", want, Basis{}),
		s.putSearch(ctx, slm.Population{Name: "search", Teacher: teacher, Search: slm.Search{Teacher: "t", Seed: 4, Reorder: slm.ByWeightNorm}}),
		s.putCandidate(ctx, "search", slm.Candidate{ID: 4}, Basis{}), s.putCandidate(ctx, "search", want, Basis{}),
		s.putRun(ctx, run), s.addPoint(ctx, "run", points[0]), s.addPoint(ctx, "run", points[1]), s.addPoint(ctx, "run", points[2]),
		os.MkdirAll(filepath.Join(home, "teachers"), 0o755),
		os.WriteFile(filepath.Join(home, "teachers", "t.perplexity.json"), []byte(text(measurement{SHA256: "abc", Corpus: "c", Tokens: 8, Window: 4, Loss: 2})), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	h, err := ReadHistory(ctx, home, "lab", "run")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(h.Curve.Points, points) || h.SHA256 != "abc" || h.Checkpoint != filepath.Join(folder, "runs", "run", "checkpoint.safetensors") {
		t.Errorf("%+v", h)
	}
	if f := h.Search; f == nil || f.Name != "search" || f.Search.Seed != 4 || f.Evaluated != 2 || f.ID != 5 || f.Loss != 3 {
		t.Errorf("search %+v", h.Search)
	}
	if m := h.Measurement; m == nil || *m != (Measured{Corpus: "c", Loss: 2, Tokens: 8, Window: 4}) {
		t.Errorf("measurement %+v", h.Measurement)
	}
	if err := s.addPoint(ctx, "run", slm.Point{Step: 3}); err != nil {
		t.Errorf("the writer cannot go on: %v", err)
	}
	for _, test := range [][3]string{{"lab", "other", "it holds: run"}, {"none", "run", "it holds: lab"}, {"..", "run", "cannot name a lab"}} {
		if _, err := ReadHistory(ctx, home, test[0], test[1]); err == nil || !strings.Contains(err.Error(), test[2]) {
			t.Errorf("%v: %v", test, err)
		}
	}
	if _, err := os.Stat(filepath.Join(home, "labs", "none")); err == nil {
		t.Error("reading made a lab")
	}
}
