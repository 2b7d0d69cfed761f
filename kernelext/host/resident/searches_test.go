package resident_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// judged are the ways to judge a candidate.
func judged() map[string]slm.Search {
	plain, halving, warm, both, reordered := smallSearch, smallSearch, smallSearch, smallSearch, smallSearch
	halving.Halving = slm.Halving{Rungs: 3}
	warm.Warm = slm.Warm{Steps: 4}
	both.Halving, both.Warm = slm.Halving{Rungs: 2}, slm.Warm{Steps: 8}
	reordered.Reorder, reordered.Halving, reordered.Space = slm.ByActivationNorm, slm.Halving{Rungs: 2}, slm.CoarseUniform
	return map[string]slm.Search{"plain": plain, "halving": halving, "warm": warm, "halving and warm": both, "reordered": reordered}
}

// records are a search's candidates without the times.
func records(p slm.Population) (out []string) {
	for _, c := range p.Candidates {
		out = append(out, fmt.Sprint(c.ID, c.Generation, c.Origin, c.Parents, c.Subnet.Key(), c.Parameters, c.FLOPs, c.KVBytes, c.Untrained, c.Rungs, c.Loss, c.Failure))
	}
	return out
}

// failingHome is noisyHome with a teacher of which some sub-networks have no finite loss.
func failingHome(t *testing.T) string {
	home := newHome(t, nil)
	putTeacher(t, home, "tiny", `{"Wait": 1000000, "Noise": 0.05, "Fail": 3}`)
	return home
}

// noisyHome has a teacher that ranks sub-networks otherwise on less text.
func noisyHome(t *testing.T) string {
	home := newHome(t, nil)
	putTeacher(t, home, "tiny", `{"Wait": 1000000, "Noise": 0.05}`)
	return home
}

func forget(t *testing.T, home string) {
	t.Helper()
	if err := os.Remove(filepath.Join(home, "evaluations")); err != nil {
		t.Fatal(err)
	}
}

// With halving a candidate of rung r has r losses, and the progress counts each.
func TestHalvingJudgesTheBetterHalfOnMoreText(t *testing.T) {
	home := noisyHome(t)
	search := judged()["halving and warm"]
	var last kernelext.Event
	client := connect(t, "one")
	p, err := client.Search(t.Context(), "halved", search, func(e kernelext.Event) { last = e })
	if err != nil {
		t.Fatal(err)
	}
	if total := 6 + 3 + 2*(4+2); p.Evaluations() != total || !p.Done() || last.Done != int64(total) || last.Total != int64(total) {
		t.Errorf("%d evaluations, last event %d of %d, want %d", p.Evaluations(), last.Done, last.Total, total)
	}
	rungs := map[int]int{}
	for _, c := range p.Candidates {
		rungs[len(c.Rungs)]++
		if want := map[int]float64{1: 2 + 1./4, 2: 2 + 1./8}[len(c.Rungs)]; c.Loss != want || c.Rungs[len(c.Rungs)-1] != want {
			t.Errorf("candidate %d has losses %v and loss %g, want %g", c.ID, c.Rungs, c.Loss, want)
		}
		if !(c.Untrained > 3) || !(c.Latency >= 0.001/1.024*0.9) || c.Seconds < 0.002*float64(len(c.Rungs)) {
			t.Errorf("candidate %d: untrained %g, latency %g, %g s", c.ID, c.Untrained, c.Latency, c.Seconds)
		}
	}
	if !reflect.DeepEqual(rungs, map[int]int{1: 7, 2: 7}) {
		t.Errorf("judged so often: %v", rungs)
	}
	tokens := map[string]int{}
	for key := range evaluations(t, home) {
		tokens[filepath.Base(key)]++
	}
	if !reflect.DeepEqual(tokens, map[string]int{"512": 14, "1024": 7}) {
		t.Errorf("tokens of evaluations: %v", tokens)
	}
	contents, err := client.Contents(t.Context())
	if err != nil || contents.Searches[0].Done != 21 || contents.Searches[0].Total != 21 || contents.Searches[0].BestLoss != p.Best().Loss {
		t.Errorf("contents %+v (%v)", contents.Searches, err)
	}
}

// A search that is interrupted at each evaluation repeats none, loses none, and finds the same as an undisturbed one.
func TestInterruptedAtEachEvaluation(t *testing.T) {
	for name, search := range judged() {
		t.Run(name, func(t *testing.T) {
			home := failingHome(t)
			whole, err := connect(t, "whole").Search(t.Context(), "s", search, nil)
			if err != nil {
				t.Fatal(err)
			}
			forget(t, home)
			client, calls := connect(t, "interrupted"), 0
			for err := errors.New("none yet"); err != nil; calls++ {
				ctx, interrupt := context.WithCancel(t.Context())
				_, err = client.Search(ctx, "s", search, func(e kernelext.Event) {
					if e.Kind == kernelext.Candidate {
						interrupt()
					}
				})
				interrupt()
				if err != nil && !errors.Is(err, context.Canceled) { // as the finished search was read
					wantError(t, err, "", "stopped after", "run the cell again")
				}
				if calls > whole.Evaluations() {
					t.Fatal("it does not get on")
				}
			}
			if calls < 4 {
				t.Errorf("only %d calls", calls)
			}
			again, err := client.Population(t.Context(), "s")
			if err != nil || !reflect.DeepEqual(records(again), records(whole)) || again.Held != whole.Held {
				t.Errorf("interrupted %q\nundisturbed %q (%v)", records(again), records(whole), err)
			}
			for key, n := range evaluations(t, home) {
				if n != 1 {
					t.Errorf("evaluation %s was made %d times", key, n)
				}
			}
		})
	}
}

// Candidates without a finite loss are recorded with the reason, and end no search.
func TestFailedCandidates(t *testing.T) {
	failingHome(t)
	client := connect(t, "one")
	reasons := map[string]bool{}
	for name, search := range judged() {
		var notes []string
		name = strings.ReplaceAll(name, " ", "-")
		p, err := client.Search(t.Context(), name, search, func(e kernelext.Event) {
			if e.Kind == kernelext.Note {
				notes = append(notes, e.Message)
			}
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		failed := p.Failures()
		if !p.Done() || len(failed) == 0 || p.Best().Failed() {
			t.Errorf("%s: done %t, %d failed, best %+v", name, p.Done(), len(failed), p.Best())
		}
		for _, c := range failed {
			reasons[c.Failure] = true
		}
		if !strings.Contains(strings.Join(notes, "\n"), fmt.Sprintf("%d of %d candidates failed, and rank last", len(failed), len(p.Candidates))) {
			t.Errorf("%s: notes %q", name, notes)
		}
		path := filepath.Join(t.TempDir(), "s.json")
		if _, err := client.SaveTable(t.Context(), name, path); err != nil || strings.Count(read(t, path), `"loss":null`) != len(failed) {
			t.Errorf("%s: the table shows %d failures, want %d (%v)", name, strings.Count(read(t, path), `"loss":null`), len(failed), err)
		}
	}
	for _, reason := range []string{"its loss is NaN", "its loss before training is NaN", "its loss after 4 steps of training is +Inf"} {
		if !reasons[reason] {
			t.Errorf("no candidate failed since %s: %v", reason, reasons)
		}
	}
	contents, err := client.Contents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range contents.Searches {
		p, err := client.Population(t.Context(), e.Name)
		if err != nil || e.Failed || e.BestLoss != p.Best().Loss {
			t.Errorf("%+v, want best loss %g (%v)", e, p.Best().Loss, err)
		}
	}
}

// A search whose every candidate fails ends, and says what to try, also when it is asked for again.
func TestEveryCandidateFails(t *testing.T) {
	home := newHome(t, nil)
	putTeacher(t, home, "tiny", `{"Fail": 1}`)
	client := connect(t, "one")
	search := smallSearch
	search.Generations = slm.InitialOnly
	for range 2 {
		_, err := client.Search(t.Context(), "s", search, nil)
		wantError(t, err, kernelext.Invalid, "all of the 6 candidates failed (candidate 0: its loss is NaN)", "another space")
	}
	contents, err := client.Contents(t.Context())
	if err != nil || !contents.Searches[0].Failed || contents.Searches[0].Done != 6 {
		t.Errorf("contents %+v (%v)", contents.Searches, err)
	}
}

// A host that is killed again and again loses no evaluation that it has reported.
func TestKilledSeveralTimesInAHalvingSearch(t *testing.T) {
	home := noisyHome(t)
	search := judged()["reordered"]
	search.Halving.Rungs = 3
	whole, err := connect(t, "whole").Search(t.Context(), "s", search, nil)
	if err != nil {
		t.Fatal(err)
	}
	forget(t, home)
	client, known := connect(t, "killed"), map[string]bool{}
	kills := 0
	for err := errors.New("none yet"); err != nil; {
		pid, news, last := status(t).PID, 0, 4+kills
		_, err = client.Search(t.Context(), "s", search, func(e kernelext.Event) {
			if e.Kind != kernelext.Candidate {
				return
			}
			tokens, _ := search.WithDefaults().Rung(slm.Candidate{Rungs: e.Candidate.Rungs[1:]}, 128)
			known[evaluation(e.Candidate.Subnet, tokens)] = true
			if news++; news == last {
				killHost(t, pid)
				kills++
			}
		})
		if err != nil {
			wantError(t, err, "", "the host has gone")
			client = connect(t, "killed")
		}
	}
	again, err := client.Population(t.Context(), "s")
	if err != nil || !reflect.DeepEqual(records(again), records(whole)) {
		t.Errorf("killed %q\nundisturbed %q (%v)", records(again), records(whole), err)
	}
	if kills < 3 {
		t.Errorf("killed %d times only", kills)
	}
	counts := evaluations(t, home)
	for key := range known {
		if counts[key] != 1 {
			t.Errorf("evaluation %s was made %d times", key, counts[key])
		}
	}
}

// The order of a reordered search is measured once, and is no part of its options.
func TestReorderedSearch(t *testing.T) {
	home := noisyHome(t)
	search := smallSearch
	search.Space, search.Reorder = slm.CoarseUniform, slm.ByActivationNorm
	for _, lab := range []string{"one", "two"} {
		p, err := connect(t, lab).Search(t.Context(), "s", search, nil)
		if err != nil {
			t.Fatal(err)
		}
		if p.Search.Order != nil || p.Search.Reorder != slm.ByActivationNorm {
			t.Errorf("stored options %+v", p.Search)
		}
		for _, c := range p.Candidates { // the last dimensions matter most
			if n := c.Subnet.Embd.Len(576); n < 576 && (!c.Subnet.Embd.Contains(575) || c.Subnet.Embd.Contains(0)) {
				t.Errorf("candidate %d keeps dimensions %s", c.ID, c.Subnet.Embd)
			}
		}
		if err := kernelext.StopHost(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(home, "importances")); err != nil || string(text) != "activation-norm 4096\n" {
		t.Errorf("measured %q (%v)", text, err)
	}
}

// A search does not go on with another text.
func TestChangedTextIsAnError(t *testing.T) {
	home := noisyHome(t)
	client := connect(t, "one")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	_, err := client.Search(ctx, "s", smallSearch, func(e kernelext.Event) {
		if e.Kind == kernelext.Candidate {
			interrupt()
		}
	})
	wantError(t, err, "", "stopped after")
	p, err := client.Population(t.Context(), "s")
	if err != nil || p.Held.Corpus != "test" || p.Held.Tokens != 1024 || p.Held.Window != 128 || len(p.Held.SHA256) != 64 {
		t.Fatalf("held %+v (%v)", p.Held, err)
	}
	if err := kernelext.StopHost(t.Context()); err != nil {
		t.Fatal(err)
	}
	putTeacher(t, home, "tiny", `{"First": 7}`)
	_, err = client.Search(t.Context(), "s", smallSearch, nil)
	wantError(t, err, kernelext.Differs, `search "s" was judged on 1024 tokens of test in windows of 128 (SHA-256 `+p.Held.SHA256[:12]+")", "another name")
	if _, err = client.Search(t.Context(), "t", smallSearch, nil); err != nil {
		t.Error(err)
	}
}

// Two cells that run the same search share its work.
func TestTwoClientsRunTheSameSearch(t *testing.T) {
	home := noisyHome(t)
	var both sync.WaitGroup
	found := make([]slm.Population, 2)
	for i := range found {
		client := connect(t, "one")
		both.Go(func() {
			var err error
			if found[i], err = client.Search(t.Context(), "s", smallSearch, nil); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if !reflect.DeepEqual(found[0], found[1]) {
		t.Error("they found different candidates")
	}
	for key, n := range evaluations(t, home) {
		if n != 1 {
			t.Errorf("evaluation %s was made %d times", key, n)
		}
	}
}

// What another search of the lab has measured on the same text is not measured again, and says so.
func TestKnownLossesAreReused(t *testing.T) {
	home := noisyHome(t)
	client := connect(t, "one")
	search := judged()["halving"]
	first, err := client.Search(t.Context(), "first", search, nil)
	if err != nil {
		t.Fatal(err)
	}
	before := len(evaluations(t, home))
	search.Generations = 3
	var notes []string
	second, err := client.Search(t.Context(), "second", search, func(e kernelext.Event) {
		if e.Kind == kernelext.Note {
			notes = append(notes, e.Message)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := records(second)[:len(first.Candidates)]; !reflect.DeepEqual(got, records(first)) {
		t.Errorf("%q, want the same as %q", got, records(first))
	}
	for i, c := range second.Candidates {
		if known := i < len(first.Candidates); (c.Seconds == 0) != known || c.Latency == 0 || c.Evaluated.IsZero() {
			t.Errorf("candidate %d took %g s, latency %g", c.ID, c.Seconds, c.Latency)
		}
	}
	if new := len(evaluations(t, home)) - before; new != second.Evaluations()-first.Evaluations() {
		t.Errorf("%d new evaluations, want %d", new, second.Evaluations()-first.Evaluations())
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "losses were known from other searches") {
		t.Errorf("notes %q", notes)
	}
	for key, n := range evaluations(t, home) {
		if n != 1 {
			t.Errorf("evaluation %s was made %d times", key, n)
		}
	}
	warm := search // another plan gives another loss
	warm.Warm = slm.Warm{Steps: 4}
	p, err := client.Search(t.Context(), "warm", warm, nil)
	if err != nil || p.Candidates[0].Seconds == 0 {
		t.Errorf("a warm search took the losses of a plain one (%v)", err)
	}
}

// A search that makes the latency small times no compilation: each forward pass comes after an untimed one.
func TestLatencyIsThatOfASecondPass(t *testing.T) {
	home := noisyHome(t)
	search := smallSearch
	search.Objectives = []slm.Objective{slm.MinimizeLatency}
	if _, err := connect(t, "one").Search(t.Context(), "fast", search, nil); err != nil {
		t.Fatal(err)
	}
	for key, n := range evaluations(t, home) {
		if n != 2 {
			t.Errorf("sub-network %s had %d passes, want 2", key, n)
		}
	}
}

// A bin that holds fewer sub-networks than the search would evaluate: it ends with them, says so, and is finished.
func TestSearchEndsWhereTheSpaceDoes(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	if _, err := client.Teacher(t.Context(), "tiny", nil); err != nil {
		t.Fatal(err)
	}
	few := slm.Search{Space: slm.CoarseUniform, Bin: slm.Around(30e6, 0.0002), Population: 2, Offspring: 2, Generations: 3} // it holds 3
	var notes []string
	watch := func(e kernelext.Event) {
		if e.Kind == kernelext.Note {
			notes = append(notes, e.Message)
		}
	}
	for range 2 {
		p, err := client.Search(t.Context(), "few", few, watch)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Candidates) != 3 || !p.Done() {
			t.Errorf("%d candidates, done %v", len(p.Candidates), p.Done())
		}
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "ended after 3 of 8 evaluations: many draws from the coarse-uniform space of tiny gave no other") {
		t.Errorf("notes %q", notes)
	}
	if p := judge(t, client, "told", few, 1, nil); len(p.Candidates) != 3 || !p.Done() {
		t.Errorf("told: %d candidates, done %v", len(p.Candidates), p.Done())
	}
	contents, err := client.Contents(t.Context())
	if err != nil || len(contents.Searches) != 2 || contents.Searches[0].Total != 3 || contents.Searches[1].Total != 3 {
		t.Errorf("%+v, %v", contents.Searches, err)
	}
}

// A search of a text of its own is judged on that, under its name, and does not go on with another.
func TestSearchOnData(t *testing.T) {
	home := newHome(t, nil)
	client := connect(t, "one")
	if _, err := client.Teacher(t.Context(), "tiny", nil); err != nil {
		t.Fatal(err)
	}
	notes := slm.Data{Paths: []string{filepath.Join(home, "notes")}}
	search := smallSearch
	search.Data = notes
	p, err := client.Search(t.Context(), "notes", search, nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := client.Search(t.Context(), "plain", smallSearch, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Held.Corpus != notes.String() || plain.Held.Corpus != "test" || p.Held.SHA256 == plain.Held.SHA256 {
		t.Errorf("held %+v and %+v", p.Held, plain.Held)
	}
	_, err = client.Search(t.Context(), "notes", smallSearch, nil)
	wantError(t, err, kernelext.Differs, "data.paths")
	search.Warm = slm.Warm{Steps: 2}
	_, err = client.Search(t.Context(), "warm", search, nil)
	wantError(t, err, kernelext.Invalid, "a warm search trains its candidates on the Go installation's text")
}
