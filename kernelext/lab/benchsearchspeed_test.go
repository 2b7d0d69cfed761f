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
