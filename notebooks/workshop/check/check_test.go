package check

import (
	"strings"
	"testing"
	"time"
)

// said is a check of an answer, with its outcome and something that it must say.
type said struct {
	name    string
	verdict Verdict
	outcome Outcome
	says    string
}

func (s said) run(t *testing.T) {
	t.Helper()
	t.Run(s.name, func(t *testing.T) {
		v := s.verdict
		if v.Outcome != s.outcome || !strings.Contains(v.Says, s.says) {
			t.Errorf("outcome %d, %q; want %d and %q", v.Outcome, v.Says, s.outcome, s.says)
		}
		if (v.Hint == "") != (v.Outcome == Solved) {
			t.Errorf("outcome %d with the hint %q: what is not solved has one", v.Outcome, v.Hint)
		}
	})
}

func TestShownVerdict(t *testing.T) {
	e := exercise{"1.1 A <name>", "try & see"}
	v := e.wrong("%d < 5", 3)
	if got, want := v.String(), "✗ 1.1 A <name>: 3 < 5\n  Hint: try & see"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	for _, want := range []string{"✗ 1.1 A &lt;name&gt;", "3 &lt; 5", "Hint: try &amp; see"} {
		if !strings.Contains(v.HTML(), want) {
			t.Errorf("the page %q does not have %q", v.HTML(), want)
		}
	}
	if solved := e.solved("yes"); strings.Contains(solved.HTML(), "Hint") || !strings.HasPrefix(solved.String(), "✓") {
		t.Errorf("a solved exercise is shown as %q", solved)
	}
}

func TestCall(t *testing.T) {
	patience = 50 * time.Millisecond
	defer func() { patience = 5 * time.Second }()
	if got, trouble := call(func() int { return 7 }); got != 7 || trouble != "" {
		t.Errorf("returned %d, trouble %q", got, trouble)
	}
	if _, trouble := call(func() int { var a []int; return a[3] }); !strings.Contains(trouble, "index out of range [3]") {
		t.Errorf("trouble of a panic: %q", trouble)
	}
	if _, trouble := call(func() int { select {} }); !strings.Contains(trouble, "did not return") {
		t.Errorf("trouble of a function that does not end: %q", trouble)
	}
}
