package resident

import (
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// A lab's records belong to one teacher; a file with other weights under the same name must not continue them.
func TestAnotherTeacherUnderTheSameNameIsRefused(t *testing.T) {
	s, err := openStore(t.Context(), t.TempDir()+"/lab.db")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	for _, step := range []struct{ sha256, want string }{{"aa", ""}, {"aa", ""}, {"bb", "put the old file back"}, {"aa", ""}} {
		err := s.useTeacher(t.Context(), "tiny", slm.Config{Name: "tiny"}, step.sha256)
		if (err == nil) != (step.want == "") || err != nil && !strings.Contains(err.Error(), step.want) {
			t.Errorf("file %s: error %v, want %q", step.sha256, err, step.want)
		}
	}
}

// Records of an earlier version are brought up to date with all that they hold, and what SQL users look at is filled in.
func TestOldRecordsAreMigrated(t *testing.T) {
	ctx, path := t.Context(), t.TempDir()+"/lab.db"
	old, err := connect(path, url.Values{})
	if err != nil {
		t.Fatal(err)
	}
	search := slm.Search{Bin: slm.Around(30e6, 0.05), Seed: 1<<64 - 1}.WithDefaults()
	want := []slm.Candidate{{ID: 0, Origin: "random", Loss: 3, KVBytes: 17, Untrained: 4}, {ID: 1, Origin: "mutation", Parents: []int{0}, Loss: 2}}
	for i, c := range want {
		statement := fmt.Sprintf("INSERT INTO candidates VALUES ('s', %d, 0, '', 'null', '{}', 1, 1, %g, 1, '', '%s');", i, c.Loss, text(c))
		if i == 0 {
			statement = fmt.Sprintf("BEGIN; %s PRAGMA user_version = 1; COMMIT; INSERT INTO searches VALUES ('s', '{}', '%s', 128, 'then');", migrations[0], text(search)) + statement
		}
		if _, err := old.db.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	old.close()
	if _, err := openStoreToRead(ctx, path); err == nil || !strings.Contains(err.Error(), "open the lab once") {
		t.Errorf("old records are read as if they were new: %v", err)
	}
	s, err := openStore(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	got, err := s.candidates(ctx, "s", 0, 9)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("candidates %+v (%v), want %+v", got, err, want)
	}
	p, found, err := s.search(ctx, "s")
	if err != nil || !found || p.Search.Seed != search.Seed || p.Held != (slm.Held{}) {
		t.Errorf("search %+v (%v)", p, err)
	}
	var seed, space, rungs string
	var untrained, kv float64
	if _, err := s.one(ctx, []any{&seed, &space, &rungs, &untrained, &kv}, `SELECT seed, space, rungs, untrained, kv_bytes FROM searches
		JOIN candidates ON search = name WHERE id = 0`); err != nil || space != "coarse-layer-wise" || rungs != "[]" || untrained != 4 || kv != 17 {
		t.Errorf("columns %s, %s, %s, %g, %g (%v)", seed, space, rungs, untrained, kv, err)
	}
	judged := want[1]
	judged.Rungs, judged.Loss = []float64{2, 1}, 1
	if err := s.putCandidate(ctx, "s", judged, Basis{}); err != nil {
		t.Fatal(err)
	}
	n, evaluations, best, err := s.tally(ctx, "s")
	if err != nil || n != 2 || evaluations != 3 || best.Float64 != 1 {
		t.Errorf("%d candidates, %d evaluations, best %v (%v)", n, evaluations, best, err)
	}
}

// Pages of a table are of one and the same table.
func TestTableOfASearchThatGoesOn(t *testing.T) {
	ctx := t.Context()
	h := &Host{settings: Settings{Home: t.TempDir()}, log: slog.New(slog.DiscardHandler), labs: map[string]*lab{}}
	l, err := h.lab(ctx, "one")
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if err := l.putSearch(ctx, slm.Population{Name: "s"}); err != nil {
		t.Fatal(err)
	}
	request := kernelext.TableRequest{Lab: "one", Search: "s", File: "s.csv"}
	for id, want := range []string{"", "search s went on while its table was read"} {
		if err := l.putCandidate(ctx, "s", slm.Candidate{ID: id}, Basis{}); err != nil {
			t.Fatal(err)
		}
		request.From, request.Evaluations = 10, 1
		page, err := h.table(ctx, request)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("page %+v (%v), want error %q", page, err, want)
		}
	}
}
