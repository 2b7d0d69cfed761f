package resident_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/table"
)

// A search's candidates are saved where the client says, in the format of the file's name.
func TestSaveTable(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	p, err := client.Search(t.Context(), "30M", judged()["halving and warm"], nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, name := range []string{"population.csv", "population.parquet"} {
		if n, err := client.SaveTable(t.Context(), "30M", name); err != nil || n != len(p.Candidates) {
			t.Fatalf("%s: %d candidates (%v), want %d", name, n, err, len(p.Candidates))
		}
	}
	lines, err := csv.NewReader(strings.NewReader(read(t, "population.csv"))).ReadAll()
	if err != nil || len(lines) != 1+len(p.Candidates) || lines[1][0] != "30M" {
		t.Errorf("%d lines (%v)", len(lines), err)
	}
	type few struct {
		ID        int64     `parquet:"id"`
		Loss      float64   `parquet:"loss"`
		Rungs     []float64 `parquet:"rungs,list"`
		Untrained *float64  `parquet:"untrained"`
	}
	rows, err := parquet.ReadFile[few]("population.parquet")
	if err != nil || len(rows) != len(p.Candidates) {
		t.Fatalf("%d rows (%v)", len(rows), err)
	}
	for i, c := range p.Candidates {
		if r := rows[i]; int(r.ID) != c.ID || r.Loss != c.Loss || len(r.Rungs) != len(c.Rungs) || *r.Untrained != c.Untrained {
			t.Errorf("row %+v, want candidate %+v", r, c)
		}
	}
	_, err = client.SaveTable(t.Context(), "30M", "population.xlsx")
	wantError(t, err, kernelext.Invalid, ".csv, .parquet, .json")
	_, err = client.SaveTable(t.Context(), "40M", "population.csv")
	wantError(t, err, kernelext.Unknown, `no search named "40M"`, "30M")
	_, err = client.SaveTable(t.Context(), "30M", filepath.Join("none", "population.csv"))
	wantError(t, err, kernelext.Unwritable, filepath.Join("none", "population.csv"), "its folder does not exist")
	if files, err := os.ReadDir("."); err != nil || len(files) != 2 {
		t.Errorf("%d files (%v)", len(files), err)
	}
}

// The client writes the file, with its own permissions, so that the host may be on another machine. A large table comes in
// several messages.
func TestTablesAreWrittenByTheClient(t *testing.T) {
	home := newHome(t, nil)
	putTeacher(t, home, "tiny", `{"Wait": 0}`)
	client := connect(t, "one")
	search := slm.Search{Bin: slm.Around(30e6, 0.05), Space: slm.FineLayerWise, Population: 500, Generations: slm.InitialOnly}
	p, err := client.Search(t.Context(), "large", search, nil)
	if err != nil {
		t.Fatal(err)
	}
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "large.json")
	n, err := client.SaveTable(t.Context(), "large", path)
	if err != nil || n != 500 {
		t.Fatalf("%d candidates (%v)", n, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v (%v), want what the client's umask leaves", info.Mode(), err)
	}
	var want bytes.Buffer
	if err := table.Encode(&want, "large.json", p); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != want.String() || len(got) <= 8<<20/4 {
		t.Errorf("%d bytes, want the same %d, more than fit in a message", len(got), want.Len())
	}
}
