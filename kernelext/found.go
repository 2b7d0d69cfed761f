package kernelext

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// Found is a finished search: its population, of which [slm.Population.Best] is the best candidate.
type Found struct {
	slm.Population
	lab *Lab
}

// Save writes all candidates of the search that the lab holds as a table with a row for each, for a spreadsheet, pandas or
// DuckDB: CSV, Parquet or JSON, as the file's suffix says. It replaces what was there.
func (f *Found) Save(path string) {
	f.lab.do("search "+f.Name, func(ctx context.Context, _ *display) (line string, err error) {
		n, err := f.lab.client.SaveTable(ctx, f.Name, path)
		return fmt.Sprintf("search %s: %d candidates in %s", f.Name, n, path), err
	})
}

// SaveTable writes the candidates of a search into a file, and says how many. A relative path is one of this process's working
// folder.
func (c *Client) SaveTable(ctx context.Context, search, path string) (candidates int64, err error) {
	if err := slm.CheckTable(path); err != nil {
		return 0, Errorf(Invalid, "%v", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return 0, err
	}
	var written Summary
	err = c.work(ctx, VerbTable, WorkRequest{Name: search, Path: path}, nil, &written)
	return written.Done, err
}

// foundLine sums up what this call evaluated; a search that was finished before leaves no line.
func foundLine(p slm.Population, d *display) string {
	if d.evaluated == 0 {
		return ""
	}
	best := p.Best()
	line := fmt.Sprintf("search %s: %d evaluations", p.Name, p.Evaluations())
	if took := time.Since(d.began); took > time.Second {
		line += " in " + duration(took.Seconds())
	}
	return fmt.Sprintf("%s · best perplexity %s with %s parameters (candidate %d, generation %d)",
		line, perplexityText(best.Perplexity()), slm.Count(best.Parameters), best.ID, best.Generation)
}
