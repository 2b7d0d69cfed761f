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

// Continue continues a prompt by a candidate's likeliest tokens, untrained: with what it keeps of the teacher's weights.
func (f *Found) Continue(c slm.Candidate, prompt string, tokens int) string {
	return f.Generate(c, prompt, slm.Generation{Tokens: tokens})
}

// Generate is [Found.Continue] with a choice of how tokens are drawn.
func (f *Found) Generate(c slm.Candidate, prompt string, g slm.Generation) string {
	var text string
	f.lab.do(fmt.Sprintf("candidate %d", c.ID), func(ctx context.Context, d *display) (line string, err error) {
		text, err = f.lab.client.GenerateSubnet(ctx, f.Teacher.Name, c.Subnet, prompt, g, quiet(d))
		return "", err
	})
	return text
}

// Save writes all candidates of the search that the lab holds as a table with a row for each, for a spreadsheet, pandas or
// DuckDB: CSV, Parquet or JSON, as the file's suffix says. It replaces what was there, as a whole or not at all; a relative path is
// one of the cell's working folder.
func (f *Found) Save(path string) {
	f.lab.do("search "+f.Name, func(ctx context.Context, _ *display) (line string, err error) {
		n, err := f.lab.client.SaveTable(ctx, f.Name, path)
		return fmt.Sprintf("search %s: %d candidates in %s", f.Name, n, path), err
	})
}

// SaveTable writes the candidates of a search into a file of this process's machine, and says how many. The host encodes them.
func (c *Client) SaveTable(ctx context.Context, search, path string) (candidates int, err error) {
	if err := slm.CheckTable(path); err != nil {
		return 0, Errorf(Invalid, "%v", err)
	}
	content, candidates, err := c.table(ctx, search, filepath.Base(path))
	if err != nil {
		return 0, err
	}
	return candidates, saveFile(path, content)
}

// table reads pages until the last.
func (c *Client) table(ctx context.Context, search, file string) (content []byte, candidates int, err error) {
	at, err := c.attached(ctx)
	if err != nil {
		return nil, 0, err
	}
	request := TableRequest{Lab: c.lab, Search: search, File: file}
	for {
		var page Table
		if err := at.call(ctx, VerbTable, request, &page); err != nil {
			return nil, 0, err
		}
		content = append(content, page.Content...)
		if page.Next == 0 {
			return content, page.Candidates, nil
		}
		request.From, request.Evaluations = page.Next, page.Evaluations
	}
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
