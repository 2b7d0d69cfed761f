package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// measureSearch searches as `lab search` does, up to the records, which are thrown away. The first line is the preparation's.
func measureSearch(ctx context.Context, loaded *model.Teacher, asked *ask.Measure, lines *json.Encoder) error {
	var search slm.Search
	if err := json.Unmarshal([]byte(asked.Search), &search); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	if search.Reorder != "" || !search.Warm.IsZero() || !search.Halving.IsZero() {
		return errors.New("search: a measured one has no text to learn from: no reorder, warm or halving")
	}
	dir, err := os.MkdirTemp("", "offshoot-measure-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	begin, t := time.Now(), untaught{&teacher{model: loaded, sha256: "any"}}
	answer := func(loss float64) error {
		passed := ask.Passed{Seconds: time.Since(begin).Seconds(), Loss: loss}
		begin = time.Now()
		return lines.Encode(ask.Evaluated{Passed: passed, Compiled: loaded.Compiled(), Resident: residentBytes()})
	}
	judge, err := resident.NewJudge(ctx, dir, t, search, func(string, int64, int64) {})
	if err == nil {
		err = answer(0)
	}
	if err != nil {
		return err
	}
	r := &records{path: filepath.Join(dir, "search.jsonl")}
	defer r.close()
	if err := r.open(recordsHead{Search: search, Teacher: t.Config(), SHA256: t.SHA256(), Held: judge.Held()}); err != nil {
		return err
	}
	var unanswered error
	err = r.evolve(ctx, judge, func(e kernelext.Event) { unanswered = errors.Join(unanswered, answer(e.Candidate.Loss)) })
	return errors.Join(err, unanswered)
}

// untaught is a teacher without a tokenizer, and so without a corpus: evaluating costs the same on any tokens.
type untaught struct{ *teacher }

func (t untaught) Corpus() string { return "none" }

func (t untaught) Held(_ context.Context, _ slm.Data, tokens, seqLen int, _ resident.Report) ([]int32, error) {
	return ask.WindowTokens((tokens+seqLen-1)/seqLen, seqLen+1, t.Config().Vocab), nil
}
