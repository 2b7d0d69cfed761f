package resident_test

import (
	"context"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// A study that is stopped in its second search goes on there; each search is run once, and events count the whole.
func TestStudyGoesOn(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	if _, err := client.Teacher(t.Context(), "tiny", nil); err != nil {
		t.Fatal(err)
	}
	random := smallSearch
	random.Strategy = slm.RandomSearch
	study := slm.Study{Name: "both", Teacher: "tiny", Bins: []slm.Bin{smallSearch.Bin}, Spaces: []slm.Space{slm.CoarseUniform},
		Variants: []slm.Variant{{Name: "evolution", Search: smallSearch}, {Name: "random", Search: random}}, Seeds: []uint64{1}}
	first := int64(study.Trials()[0].Search.Evaluations())

	ctx, interrupt := context.WithCancel(t.Context())
	_, err := client.Study(ctx, study, func(_ string, e kernelext.Event) {
		if e.Kind == kernelext.Candidate && e.Done == first+2 {
			interrupt()
		}
	})
	wantError(t, err, "", "stopped after")

	events, last := 0, int64(0)
	found, err := client.Study(t.Context(), study, func(search string, e kernelext.Event) {
		if e.Kind != kernelext.Candidate {
			return
		}
		if search != study.Trials()[1].Name || e.Total != int64(study.Evaluations()) || e.Done <= last {
			t.Errorf("%s: %d of %d after %d", search, e.Done, e.Total, last)
		}
		events, last = events+1, e.Done
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != int64(study.Evaluations()) || events == 0 || int64(events) > last-first-2 {
		t.Errorf("%d candidates were evaluated, up to %d", events, last)
	}
	if len(found) != 2 || len(found[0].Searches) != 1 || found[1].Variant != "random" {
		t.Errorf("found %+v", found)
	}

	study.Bins = []slm.Bin{slm.Around(1e3, 0.05)}
	_, err = client.Study(t.Context(), study, nil)
	wantError(t, err, kernelext.Invalid, "number 1 of 2", "no sub-network of tiny")
}
