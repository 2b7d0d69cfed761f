package claims

import (
	"math"
	"strings"
	"testing"
)

func TestHolds(t *testing.T) {
	if !Holds(true, "two") || Holds(false, "two") {
		t.Error("Holds does not report what it was told")
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		value, low, high float64
		want             bool
	}{{2, 1, 3, true}, {1, 1, 3, true}, {3, 1, 3, true}, {0.9, 1, 3, false}, {3.1, 1, 3, false}, {math.NaN(), 1, 3, false}, {math.Inf(1), 1, 3, false}} {
		if got := Within(c.value, c.low, c.high, "%.1f times", c.value); got != c.want {
			t.Errorf("%g in %g to %g: %v", c.value, c.low, c.high, got)
		}
	}
}

// A claim that does not hold says why, and what it says is no markup.
func TestDisplay(t *testing.T) {
	c := Claim{Text: "a < b", Why: "4 is outside"}
	page := c.html()
	if !strings.Contains(page, "a &lt; b") || !strings.Contains(page, "(4 is outside)") || strings.Contains(page, "✓") {
		t.Error(page)
	}
	if got := c.String(); got != "✗ a < b (4 is outside)" {
		t.Error(got)
	}
	if got := c.metadata()["offshoot"]; got != "unsupported claim" {
		t.Error(got)
	}
	if got := (Claim{Holds: true}).metadata()["offshoot"]; got != "claim" {
		t.Error(got)
	}
	open := Claim{Text: "not asked", Open: true}
	if page := open.html(); open.metadata()["offshoot"] != "unchecked claim" || strings.Contains(page, "✗") || !strings.Contains(page, "not asked") {
		t.Error(open.metadata(), page)
	}
}

func ExampleWithin() {
	random, subnet := 2000.0, 500.0 // steps
	Within(random/subnet, 2, 20, "The sub-network takes %.1f times fewer tokens.", random/subnet)
	Within(random/subnet, 5, 20, "It takes five times fewer.")
	Unchecked("Its accuracy was not measured: lm-eval is not installed")
	// Output:
	// ✓ The sub-network takes 4.0 times fewer tokens.
	// ✗ It takes five times fewer. (4 is outside the recorded band, 5 to 20)
	// – Its accuracy was not measured: lm-eval is not installed
}
