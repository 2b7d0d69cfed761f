package model

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"golang.org/x/sync/errgroup"

	"github.com/offshoot-ml/offshoot/slm"
)

// Prepare plans and compiles the programs that evaluate the candidates of a search on so many windows of seqLen+1 tokens, so
// that none is compiled while it runs. The plan follows from the search and the teacher's architecture, and is used until
// another search is prepared; it changes losses by no more than rounding. Preparing the same search again costs nothing.
// Without it, and for sub-networks outside the search, sizes are rounded up to fixed parts of the teacher's. A search that
// cannot be is an error; cancelling the context ends it between two programs.
func (t *Teacher) Prepare(ctx context.Context, search slm.Search, windows, seqLen int) error {
	search = search.WithDefaults()
	key, err := json.Marshal(search)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	name := fmt.Sprintf("%d×%d %s", windows, seqLen, key)
	if p, ok := t.plans[name]; ok {
		t.plan = p
		return nil
	}
	planner, err := newPlanner(t.Config, search, windows*seqLen+3*search.Warm.Steps*search.Warm.Batch*search.Warm.SeqLen, seqLen)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	if !t.backend.HasSharedBuffers() {
		planner.times *= acceleratorTimes
	}
	p := planner.plan()
	if err := t.compile(ctx, p, search, windows, seqLen); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	if t.plans == nil {
		t.plans = map[string]plan{}
	}
	t.plan, t.plans[name] = p, p
	return nil
}

// compile compiles a plan's programs, as many at once as there are cores.
func (t *Teacher) compile(ctx context.Context, p plan, search slm.Search, windows, seqLen int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, batch := range batches(search, windows, seqLen) {
		for job := range t.jobs(p, batch, seqLen) {
			group.Go(func() error {
				if err := ctx.Err(); err != nil {
					return err
				}
				_, err := job.program.Compile(job.inputs...)
				return err
			})
		}
	}
	return group.Wait()
}

// batches are the numbers of windows in a pass: those of the last rung, and of the ones before.
func batches(search slm.Search, windows, seqLen int) (out []int) {
	for rung := range max(1, search.Halving.Rungs) {
		n := windows
		if !search.Halving.IsZero() {
			tokens, _ := search.Rung(slm.Candidate{Rungs: make([]float64, rung)}, seqLen)
			n = min(windows, tokens/seqLen)
		}
		out = append(out, min(n, max(1, maxBatchTokens/seqLen)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// job is a program to compile for the shapes of its inputs.
type job struct {
	program *program
	inputs  []shapes.Shape
}

// jobs are a plan's, the longest first.
func (t *Teacher) jobs(p plan, batch, seqLen int) func(yield func(job) bool) {
	number := func(d ...int) shapes.Shape { return shapes.Make(dtypes.Float32, d...) }
	index := func(d ...int) shapes.Shape { return shapes.Make(dtypes.Int32, d...) }
	of := func(args []any) (out []shapes.Shape) {
		for _, a := range args {
			out = append(out, a.(interface{ Shape() shapes.Shape }).Shape())
		}
		return out
	}
	var out []job
	for _, w := range p.widths {
		x, kept := number(batch, seqLen, w.embd), index(w.embd)
		for _, a := range w.attentions {
			out = append(out, job{t.programs.attend, slices.Concat([]shapes.Shape{x, kept, index(a.heads), index(a.groups), index(a.headSize),
				index(a.heads), number(3 + a.pairs)}, of(t.layer(0, inAttention)))})
		}
	}
	for _, w := range p.widths {
		x, kept := number(batch, seqLen, w.embd), index(w.embd)
		for _, f := range w.ffns {
			out = append(out, job{t.programs.feed, slices.Concat([]shapes.Shape{x, x, kept, index(f), number(2)}, of(t.layer(0, inFFN)))})
		}
	}
	embedding, head, tokens, norms := t.embed().Shape(), t.head().Shape(), index(batch, seqLen), []shapes.Shape{}
	for _, n := range t.norms() {
		norms = append(norms, n.Shape())
	}
	for _, w := range p.widths {
		x, kept, row := number(batch, seqLen, w.embd), index(w.embd), number(batch*seqLen)
		for _, e := range w.heads {
			out = append(out, job{t.programs.words, []shapes.Shape{number(batch*seqLen, w.embd), head, index(), index(), row, row, index(e)}})
		}
		out = append(out,
			job{t.programs.targets, slices.Concat([]shapes.Shape{x, number(), head, tokens}, norms, []shapes.Shape{kept})},
			job{t.programs.embedPart, []shapes.Shape{embedding, tokens, kept, number()}})
	}
	return slices.Values(out)
}
