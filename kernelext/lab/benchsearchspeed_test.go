package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
)

// The first line tells of the loading; each later one is an answer. A process that fails is an error, whatever it answered.
func TestEachLine(t *testing.T) {
	for script, want := range map[string]string{
		`echo '{}'; echo '{"seconds":1}'; echo '{"seconds":2}'`: "",
		`echo '{}'; echo '{"seconds":3}'; exit 3`:               "exit status 3",
		`echo '{}'; echo '{"seconds":3}'; echo nonsense`:        "invalid character",
		`exit 1`: "ended early",
	} {
		sum := 0.0
		err := eachLine(t.Context(), exec.Command("sh", "-c", script), func(e ask.Evaluated) { sum += e.Seconds })
		if want == "" && (err != nil || sum != 3) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: sum %g, error %v, want %q", script, sum, err, want)
		}
	}
}

// Memory that comes and goes with each evaluation is no growth; what is kept is, and also when the last evaluation happens to be
// small.
func TestGrowthIsThatOfMeans(t *testing.T) {
	var steady, leaking []int64
	for i := range int64(1000) {
		steady = append(steady, 100+10*(i%2))
		leaking = append(leaking, 100+10*(i%2)+i/10)
	}
	if g := growthOf(steady).growth(); g != 0 {
		t.Errorf("steady memory grew by %g", g)
	}
	if g := growthOf(leaking).growth(); g < 0.7 || g > 0.75 { // by 85 of 117
		t.Errorf("a leak of 85 bytes in 117 is growth of %g", g)
	}
	if m := growthOf(steady[:settled]); m.Before != 0 {
		t.Errorf("a hundred evaluations grew: %+v", m)
	}
}
