package resident_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/offshoot-ml/offshoot/kernelext"
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
		if n, err := client.SaveTable(t.Context(), "30M", name); err != nil || int(n) != len(p.Candidates) {
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
	wantError(t, err, kernelext.Invalid, "no such file")
	if files, err := os.ReadDir("."); err != nil || len(files) != 2 {
		t.Errorf("%d files (%v)", len(files), err)
	}
}
