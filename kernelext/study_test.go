package kernelext

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// A search that ended early counts as what it evaluated, in the study's progress and in its line.
func TestStudyCountsWhatWasEvaluated(t *testing.T) {
	early := slm.Population{Search: slm.Search{Population: 8, Generations: slm.InitialOnly}, Candidates: make([]slm.Candidate, 3), Exhausted: true}
	meter := studyMeter{began: time.Now(), total: 16}
	meter.finished(early)
	if e := meter.whole(Event{Kind: Candidate, Done: 8, Total: 8}); e.Done != 11 || e.Total != 11 || e.Left != 0 {
		t.Errorf("%d of %d, %g s left", e.Done, e.Total, e.Left)
	}
	found := slm.Found{{Searches: []slm.Population{early}}, {Searches: []slm.Population{{Candidates: make([]slm.Candidate, 8)}}}}
	if line := studyLine(found, &display{evaluated: 5}); !strings.HasPrefix(line, "2 searches: 11 evaluations, of which 5 now, in ") {
		t.Errorf("line %q", line)
	}
}

// An interrupt ends a program as one, also where a study says in which search it came.
func TestStatusOfAnInterrupt(t *testing.T) {
	for want, err := range map[int]error{
		1:   fmt.Errorf("search %s: %w", "a", Errorf(Invalid, "no bin")),
		130: fmt.Errorf("search %s: %w", "a", &InterruptedError{"stopped after 3 of 8 evaluations"}),
	} {
		if got := status(err); got != want {
			t.Errorf("%v ends with status %d, want %d", err, got, want)
		}
	}
}
