package model

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// prepared are searches of every kind of space, with candidates enough to meet sizes that planning did not draw.
func prepared(t *testing.T, config slm.Config) (searches []slm.Search) {
	t.Helper()
	sized := slm.CoarseUniform
	sized.HeadSize = slm.Choice(4, 8)
	for _, space := range []slm.Space{slm.CoarseLayerWise, sized, slm.FineUniform, slm.FineLayerWise, slm.WhittleHWGPTBench} {
		filled, err := space.For(config)
		if err != nil {
			t.Fatal(err)
		}
		least, most := filled.Reach(config)
		searches = append(searches, slm.Search{Space: space, Bin: slm.Bin{Lower: least + (most-least)/4, Upper: least + (most-least)/2},
			Population: 40, Generations: 1, Seed: 3}.WithDefaults())
	}
	return searches
}

// A prepared search compiles nothing while it runs, and its losses are those without a plan.
func TestPreparedSearchCompilesNothing(t *testing.T) {
	for _, config := range tinies()[:2] { // with shared query groups, and without
		_, other := newTiny(t, config)
		for _, search := range prepared(t, config) {
			_, teacher := newTiny(t, config)
			windows := someTokens(3*17, config.Vocab)
			if err := teacher.Prepare(t.Context(), search, 3, 16); err != nil {
				t.Fatal(err)
			}
			before := teacher.Compiled()
			t.Logf("%s, %s: %d programs", config.Name, search.Space.Name(), before)
			candidates, err := search.Next(config, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range candidates {
				loss, err := teacher.Loss(t.Context(), c.Subnet, windows, 16)
				if err != nil {
					t.Fatal(err)
				}
				if after := teacher.Compiled(); after != before {
					t.Fatalf("%s, %s: candidate %d compiled %d programs: %+v", config.Name, search.Space.Name(), i, after-before, c.Subnet)
				}
				if i%10 > 0 {
					continue
				}
				want, err := other.Loss(t.Context(), c.Subnet, windows, 16)
				if err != nil {
					t.Fatal(err)
				}
				if math.Abs(loss-want) > 1e-5 {
					t.Errorf("%s, %s: candidate %d has a loss of %.8f, without a plan %.8f", config.Name, search.Space.Name(), i, loss, want)
				}
			}
		}
	}
}

// The more text a candidate is judged on, the more programs are worth compiling; whatever their sizes, they hold every candidate.
func TestPlansHoldEveryCandidate(t *testing.T) {
	smol, err := slm.Published("smollm2-135m")
	if err != nil {
		t.Fatal(err)
	}
	for _, config := range append(tinies()[:2], smol) {
		for _, search := range prepared(t, config) {
			fewest := 0
			for _, tokens := range []int{1024, 1 << 16, 1 << 22} {
				planner, err := newPlanner(config, search, tokens, 128)
				if err != nil {
					t.Fatal(err)
				}
				p := planner.plan()
				programs := 0
				for _, w := range p.widths {
					programs += len(w.attentions) + len(w.ffns) + len(w.heads)
				}
				if programs < fewest {
					t.Errorf("%s, %s: %d programs for %d tokens, %d for fewer", config.Name, search.Space.Name(), programs, tokens, fewest)
				}
				fewest = programs
				checkHeld(t, p, config, search)
			}
		}
	}
}

// checkHeld checks that a plan's programs are large enough for a search's candidates, and that it uses no others.
func checkHeld(t *testing.T, p plan, config slm.Config, search slm.Search) {
	t.Helper()
	other := search
	other.Seed++
	candidates, err := other.Next(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range candidates {
		for _, l := range c.Subnet.KeptLayers(config) {
			embd, ffn := c.Subnet.Size(config, l, slm.EmbdAxis), c.Subnet.Size(config, l, slm.FFNAxis)
			w := p.widths[p.width(embd)]
			if z := p.sizes(config, c.Subnet, l); z.embd != w.embd || z.head < embd || z.ffn < ffn || holding(w.ffns, ffn) == 0 ||
				w.attention(sizeOfAttention(config, c.Subnet, l)).heads == 0 {
				t.Fatalf("%s, %s: sizes %+v for %d dimensions and %d neurons", config.Name, search.Space.Name(), z, embd, ffn)
			}
		}
	}
}

// Searches that were prepared before are remembered, and each is judged by its own plan.
func TestPreparingAgainCompilesNothing(t *testing.T) {
	config := tiny(true)
	_, teacher := newTiny(t, config)
	searches := prepared(t, config)[:2]
	losses, windows := map[int]float64{}, someTokens(2*17, config.Vocab)
	for round := range 2 {
		for i, search := range searches {
			before := teacher.Compiled()
			if err := teacher.Prepare(t.Context(), search, 2, 16); err != nil {
				t.Fatal(err)
			}
			c, err := search.Sample(config, 9)
			if err != nil {
				t.Fatal(err)
			}
			loss, err := teacher.Loss(t.Context(), c.Subnet, windows, 16)
			if err != nil {
				t.Fatal(err)
			}
			if round == 0 {
				losses[i] = loss
				continue
			}
			if loss != losses[i] || teacher.Compiled() != before {
				t.Errorf("search %d again: loss %.9f, before %.9f; %d programs more", i, loss, losses[i], teacher.Compiled()-before)
			}
		}
	}
}

func TestPrepareRefusals(t *testing.T) {
	config := tiny(true)
	_, teacher := newTiny(t, config)
	search := prepared(t, config)[0]
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := teacher.Prepare(ctx, search, 2, 16); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	search.Bin = slm.Bin{Lower: 1, Upper: 2}
	if err := teacher.Prepare(t.Context(), search, 2, 16); err == nil {
		t.Error("a bin that cannot be hit was prepared")
	}
}
