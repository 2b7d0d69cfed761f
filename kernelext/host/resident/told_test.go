package resident_test

import (
	"database/sql"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// layers is what the told searches of these tests make small.
func layers(c slm.Candidate) float64 { return float64(len(c.Subnet.Layers)) }

// judge plays a told search; after each Tell it calls told, when that is not nil.
func judge(t *testing.T, client *kernelext.Client, name string, search slm.Search, most int, told func()) slm.Population {
	t.Helper()
	for {
		pending, err := client.Ask(t.Context(), name, search, nil)
		if err != nil && strings.Contains(err.Error(), "the host has gone") { // killed a moment ago: it says to ask again
			pending, err = client.Ask(t.Context(), name, search, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(pending) == 0 {
			break
		}
		pending = pending[:min(most, len(pending))]
		for i := range pending {
			pending[i].Loss, pending[i].Latency, pending[i].Seconds = layers(pending[i]), 0.25, 3
		}
		if err := client.Tell(t.Context(), name, pending...); err != nil {
			t.Fatal(err)
		}
		if told != nil {
			told()
		}
	}
	p, err := client.Population(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Whether a generation is told at once or one by one, in any order, or between kills of the host: the search is the same, and
// it makes the score small.
func TestToldSearch(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	search := smallSearch
	search.Generations = 4
	whole := judge(t, client, "whole", search, 100, nil)
	if n := whole.Search.Evaluations(); len(whole.Candidates) != n || !whole.Done() || !whole.Search.Told || whole.Held != (slm.Held{}) {
		t.Errorf("%d of %d candidates, search %+v, held %+v", len(whole.Candidates), n, whole.Search, whole.Held)
	}
	for _, c := range whole.Candidates {
		if c.Loss != layers(c) || c.Latency != 0.25 || c.Seconds != 3 || c.Evaluated.IsZero() {
			t.Errorf("candidate %d: %+v", c.ID, c)
		}
	}
	if best, first := whole.Best().Loss, slm.Elites(whole.Candidates[:6], 1)[0].Loss; best >= first {
		t.Errorf("best score %g, of the first generation %g", best, first)
	}
	kills := 0
	each := judge(t, client, "each", search, 1, func() {
		if kills++; kills%7 == 0 {
			killHost(t, status(t).PID)
			client = connect(t, "one")
		}
	})
	if !reflect.DeepEqual(records(each), records(whole)) {
		t.Errorf("told one by one %q\nat once %q", records(each), records(whole))
	}
	contents, err := client.Contents(t.Context())
	if err != nil || len(contents.Searches) != 2 || !contents.Searches[0].Told || contents.Searches[0].Done != 22 {
		t.Errorf("contents %+v (%v)", contents.Searches, err)
	}
}

// What is told must be about the candidates that were asked about, and nothing is recorded of a call with a mistake.
func TestToldMistakes(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	ctx := t.Context()
	pending, err := client.Ask(ctx, "s", smallSearch, nil)
	if err != nil || len(pending) != 6 {
		t.Fatalf("%d candidates (%v)", len(pending), err)
	}
	if err := client.Tell(ctx, "s", pending[3], pending[1]); err != nil {
		t.Fatal(err)
	}
	again, err := client.Ask(ctx, "s", smallSearch, nil)
	if err != nil || len(again) != 4 || again[1].ID != 2 {
		t.Fatalf("%d candidates are missing (%v)", len(again), err)
	}
	other, unknown := pending[0], pending[0]
	other.Subnet, unknown.ID = pending[2].Subnet, 77
	late := pending[0]
	late.Seconds = -1
	for want, told := range map[string][]slm.Candidate{
		"candidate 1 has its loss already, 0":                          {pending[0], pending[1]},
		"candidate 77 was not asked about; those that wait":            {pending[0], unknown},
		"candidate 0 has sub-network " + other.Subnet.Key():            {other},
		"candidate 0: latency 0 and time -1":                           {late},
		"candidate 0 is told twice; nothing of this call was recorded": {pending[0], pending[0]},
	} {
		wantError(t, client.Tell(ctx, "s", told...), kernelext.Invalid, "search s", want)
	}
	if p, err := client.Population(ctx, "s"); err != nil || len(p.Candidates) != 2 {
		t.Errorf("%d candidates are recorded (%v), want 2", len(p.Candidates), err)
	}
	wantError(t, client.Tell(ctx, "none", pending...), kernelext.Unknown, `no search named "none"`, "it holds: s")

	_, err = client.Search(ctx, "s", smallSearch, nil)
	wantError(t, err, kernelext.Differs, `search "s" of this lab is judged by a cell`, "Ask and Tell")
	told := smallSearch
	told.Told = true
	_, err = client.Search(ctx, "t", told, nil)
	wantError(t, err, kernelext.Invalid, "Ask gives them")
	if _, err := client.Search(ctx, "hosted", smallSearch, nil); err != nil {
		t.Fatal(err)
	}
	_, err = client.Ask(ctx, "hosted", smallSearch, nil)
	wantError(t, err, kernelext.Differs, `search "hosted" of this lab is judged by the host`)
	wantError(t, client.Tell(ctx, "hosted", pending[0]), kernelext.Differs, "judged by the host")
	warm := smallSearch
	warm.Warm = slm.Warm{Steps: 3}
	_, err = client.Ask(ctx, "warm", warm, nil)
	wantError(t, err, kernelext.Invalid, "a cell that judges does as it likes")
	read := smallSearch
	read.Data = slm.Data{Paths: []string{"notes"}}
	_, err = client.Ask(ctx, "read", read, nil)
	wantError(t, err, kernelext.Invalid, "data are the host's ways to judge")
	more := smallSearch
	more.Seed = 9
	_, err = client.Ask(ctx, "s", more, nil)
	wantError(t, err, kernelext.Differs, "seed: 1 in the lab, 9 here")
}

// A cell may tell that a candidate failed, and why; so does a loss that is not finite.
func TestToldFailures(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	ask := func() []slm.Candidate {
		pending, err := client.Ask(t.Context(), "s", smallSearch, nil)
		if err != nil {
			t.Fatal(err)
		}
		return pending
	}
	pending := ask()
	pending[0].Failure, pending[0].Loss = strings.Repeat("out of memory ", 99), -5
	pending[1].Loss = math.NaN()
	for i := range pending[2:] {
		pending[2+i].Loss = layers(pending[2+i])
	}
	if err := client.Tell(t.Context(), "s", pending...); err != nil {
		t.Fatal(err)
	}
	wantError(t, client.Tell(t.Context(), "s", pending[1]), kernelext.Invalid, "candidate 1 was told already, to have failed (its loss is NaN)")
	p, err := client.Population(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"out of memory out of", "its loss is NaN"} {
		if c := p.Candidates[i]; !strings.HasPrefix(c.Failure, want) || len(c.Failure) > 500 || !math.IsInf(c.Loss, 1) {
			t.Errorf("candidate %d has loss %g and failure %q, want %q", i, c.Loss, c.Failure, want)
		}
	}
	for _, c := range ask() {
		if slices.Contains(c.Parents, 0) || slices.Contains(c.Parents, 1) {
			t.Errorf("candidate %d was bred from %v, which failed", c.ID, c.Parents)
		}
	}
}

// A told search can be one of the reordered teacher, whose order survives a restart.
func TestToldSearchOfTheReorderedTeacher(t *testing.T) {
	home := newHome(t, nil)
	client := connect(t, "one")
	search := smallSearch
	search.Space, search.Reorder, search.Generations = slm.CoarseUniform, slm.ByWeightNorm, 1
	calls := 0
	p := judge(t, client, "s", search, 3, func() {
		if calls++; calls == 2 {
			killHost(t, status(t).PID)
		}
	})
	if len(p.Candidates) != 10 || p.Candidates[0].Subnet.Embd.Contains(0) {
		t.Errorf("%d candidates, the first keeps %s", len(p.Candidates), p.Candidates[0].Subnet.Embd)
	}
	if _, err := client.Ask(t.Context(), "s", search, nil); err != nil {
		t.Error(err)
	}
	if text := read(t, home, "importances"); text != "weight-norm 4096\n" {
		t.Errorf("measured %q", text)
	}
}

// What a told search's Reorder means is recorded when it begins: telling needs neither the teacher nor the accelerator, and
// asking again gives the same candidates.
func TestTellingNeedsNoAccelerator(t *testing.T) {
	home := newHome(t, nil)
	search := smallSearch
	search.Space, search.Reorder = slm.CoarseUniform, slm.ByWeightNorm
	client := connect(t, "one")
	pending, err := client.Ask(t.Context(), "s", search, nil)
	if err != nil {
		t.Fatal(err)
	}
	hosted, err := client.Search(t.Context(), "hosted", search, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := client.Population(t.Context(), "s")
	if err != nil || len(hosted.Held.Order) != 64 || p.Held != (slm.Held{Order: hosted.Held.Order}) {
		t.Errorf("held %+v, of the search that the host judges %+v (%v)", p.Held, hosted.Held, err)
	}
	if err := kernelext.StopHost(t.Context()); err != nil {
		t.Fatal(err)
	}
	configure(t, home, map[string]string{"OFFSHOOT_FAKE_BACKEND": "no device"})
	client = connect(t, "one")
	if err := client.Tell(t.Context(), "s", pending[0]); err != nil {
		t.Error(err)
	}
	rest, err := client.Ask(t.Context(), "s", search, nil)
	if err != nil || !reflect.DeepEqual(rest, pending[1:]) {
		t.Errorf("candidates %+v (%v), want %+v", rest, err, pending[1:])
	}
}

// A search without candidates can be begun again with another order, and one of an earlier Offshoot says how its order is
// recorded.
func TestToldOrderIsRecordedAnew(t *testing.T) {
	home := newHome(t, nil)
	client := connect(t, "one")
	search := smallSearch
	search.Space = slm.CoarseUniform
	for _, reorder := range []slm.Reorder{slm.ByWeightNorm, "", slm.ByActivationNorm} {
		search.Reorder = reorder
		if _, err := client.Ask(t.Context(), "s", search, nil); err != nil {
			t.Fatal(err)
		}
		p, err := client.Population(t.Context(), "s")
		if err != nil || (p.Held.Order == "") != (reorder == "") {
			t.Errorf("reorder %q: held %+v (%v)", reorder, p.Held, err)
		}
	}
	if measured := read(t, home, "importances"); measured != "weight-norm 4096\nactivation-norm 4096\n" {
		t.Errorf("measured %q", measured)
	}
	pending, err := client.Ask(t.Context(), "t", search, nil)
	if err != nil {
		t.Fatal(err)
	}
	forgetOrders(t, filepath.Join(client.Folder(), "lab.db"))
	wantError(t, client.Tell(t.Context(), "t", pending[0]), kernelext.Invalid, "search t", "ask for its candidates again")
	if _, err := client.Ask(t.Context(), "t", search, nil); err != nil {
		t.Fatal(err)
	}
	if err := client.Tell(t.Context(), "t", pending...); err != nil {
		t.Error(err)
	}
}

// forgetOrders makes records as an Offshoot left them that did not record orders.
func forgetOrders(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE searches SET unit_order = NULL, held = '{}'"); err != nil {
		t.Fatal(err)
	}
}

// Watchers see a search that is continued, its growth, and its end, whatever becomes of other watchers.
func TestWatchers(t *testing.T) {
	home := newHome(t, nil)
	putTeacher(t, home, "tiny", `{"Wait": 130000000}`)
	client := connect(t, "one")
	search := judged()["halving"]
	var seen []slm.Population
	var notes []string
	calls := 0
	watchers := []func(slm.Population){
		func(p slm.Population) { seen = append(seen, p) },
		func(slm.Population) { calls++; panic("no ink") },
		func(p slm.Population) { p.Candidates[0].Loss = -1 }, // of its own copy
	}
	found, err := client.SearchLive(t.Context(), "s", search, func(e kernelext.Event) {
		if e.Kind == kernelext.Note {
			notes = append(notes, e.Message)
		}
	}, watchers...)
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) < 3 || len(seen) > 8 || !reflect.DeepEqual(seen[len(seen)-1], found) {
		t.Errorf("seen %d times, at last %+v", len(seen), seen[len(seen)-1].Search)
	}
	if !slices.IsSortedFunc(seen, func(a, b slm.Population) int { return a.Evaluations() - b.Evaluations() }) || seen[0].Done() {
		t.Error("the population did not grow")
	}
	if calls != 1 || len(notes) != 1 || !strings.Contains(notes[0], "a watcher failed, and was not called again: no ink") {
		t.Errorf("a failing watcher was called %d times; notes %q", calls, notes)
	}
	seen = nil
	if again, err := client.SearchLive(t.Context(), "s", search, nil, watchers[0]); err != nil || len(seen) != 1 || !reflect.DeepEqual(seen[0], again) {
		t.Errorf("of a finished search %d were seen (%v)", len(seen), err)
	}
}
