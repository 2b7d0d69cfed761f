package main

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// fakeSearcher evaluates each candidate in two seconds, but for the first searches, which it knows already.
type fakeSearcher struct {
	known int
	fails string
	asked []string
}

func (f *fakeSearcher) Search(_ context.Context, name string, search slm.Search, watch func(kernelext.Event)) (slm.Population, error) {
	f.asked = append(f.asked, name)
	if name == f.fails {
		return slm.Population{}, errors.New("the host has gone")
	}
	p := slm.Population{Name: name, Search: search}
	for i := range search.Evaluations() {
		c := slm.Candidate{ID: i, Loss: 10 - float64(i), Seconds: 2}
		p.Candidates = append(p.Candidates, c)
		if len(f.asked) > f.known {
			watch(kernelext.Event{Kind: kernelext.Candidate, Candidate: &c, Done: int64(i + 1), Total: int64(search.Evaluations())})
		}
	}
	return p, nil
}

func benchStudy() slm.Study {
	return slm.Study{Name: "t", Teacher: "t", Bins: []slm.Bin{slm.Around(30e6, 0.05)}, Spaces: []slm.Space{slm.CoarseUniform},
		Variants: []slm.Variant{{Name: "evolution", Search: slm.Search{Population: 2, Generations: 1, Offspring: 2, Tokens: 100}}}, Seeds: []uint64{1, 2, 3}}
}

func TestStudiesAreRunAndTimed(t *testing.T) {
	var out strings.Builder
	client := &fakeSearcher{known: 1}
	found, err := runStudies(t.Context(), client, &out, []slm.Study{benchStudy()})
	if err != nil || len(found) != 3 || found["t-30M-coarse-uniform-evolution-2"].Best().Loss != 7 {
		t.Errorf("%v, %v", found, err)
	}
	want := []string{"t-30M-coarse-uniform-evolution-1", "t-30M-coarse-uniform-evolution-2", "t-30M-coarse-uniform-evolution-3"}
	if !reflect.DeepEqual(client.asked, want) {
		t.Errorf("asked for %v", client.asked)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "best loss 7.000, 8s left in all") || !strings.Contains(lines[1], "[3/3]") || !strings.Contains(lines[1], "0s left") {
		t.Errorf("printed %q: one search was known, and shows nothing", lines)
	}
}

func TestAStudyThatFailsSaysWhere(t *testing.T) {
	client := &fakeSearcher{fails: "t-30M-coarse-uniform-evolution-2"}
	found, err := runStudies(t.Context(), client, io.Discard, []slm.Study{benchStudy()})
	if err == nil || !strings.Contains(err.Error(), "evolution-2: the host has gone") || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

// A search that an earlier run began counts as far as it came.
func TestPaceCountsWhatWasDoneBefore(t *testing.T) {
	trials := benchStudy().Trials()
	pace := newStudyPace(trials)
	if pace.left != 3*4*100 || pace.String() != "" {
		t.Errorf("%g tokens are left, %q", pace.left, pace)
	}
	w := &trialWatch{out: io.Discard, pace: pace, trial: trials[0]}
	w.event(kernelext.Event{Kind: kernelext.Candidate, Candidate: &slm.Candidate{Seconds: 1}, Done: 4, Total: 4})
	w.end(slm.Population{Candidates: []slm.Candidate{{}}}, nil)
	if pace.left != 2*4*100 || pace.String() != ", 8s left in all" {
		t.Errorf("%g tokens are left%s", pace.left, pace)
	}
	warm := slm.Search{Tokens: 100, Warm: slm.Warm{Steps: 10, Batch: 1, SeqLen: 10}}
	if got := evaluationWork(warm); got != 100+trainingWork*100 {
		t.Errorf("a warm evaluation takes the work of %g tokens", got)
	}
}

func TestBenchRefusesWhatItDoesNotMeasure(t *testing.T) {
	var out strings.Builder
	if err := bench(t.Context(), &lab{stdout: &out}, []string{"searches"}); err == nil || !strings.Contains(err.Error(), `"searches"`) {
		t.Errorf("got %v", err)
	}
}
