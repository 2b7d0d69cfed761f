package slm

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Until says when an increment of a run ends: as soon as one of what it names is reached.
type Until struct {
	Steps      int           `json:"steps,omitzero"`      // more
	Tokens     int64         `json:"tokens,omitzero"`     // predicted, more; the step that reaches them is finished
	Time       time.Duration `json:"time,omitzero"`       // the step in which it ends is finished
	Perplexity float64       `json:"perplexity,omitzero"` // held out, at most this; seen where the run validates
}

// mostSteps is more than any increment has.
const mostSteps = 1 << 24

// Validate reports an increment without an end, or with one that it cannot reach.
func (u Until) Validate() error {
	if u == (Until{}) {
		return fmt.Errorf("until: it names no end; want steps, tokens, a time or a perplexity")
	}
	if u.Steps < 0 || u.Steps > mostSteps || u.Tokens < 0 || u.Time < 0 {
		return fmt.Errorf("until: %d steps, %d tokens, %s: want at least 1 of what is given, and at most %d steps", u.Steps, u.Tokens, u.Time, mostSteps)
	}
	if u.Perplexity != 0 && !(u.Perplexity > 1) || math.IsInf(u.Perplexity, 0) {
		return fmt.Errorf("until: perplexity %g: want more than 1", u.Perplexity)
	}
	return nil
}

// StepsOf is how many steps of so many tokens it has at most; 0 when neither steps nor tokens are named.
func (u Until) StepsOf(stepTokens int) int {
	byTokens := int((u.Tokens + int64(stepTokens) - 1) / int64(stepTokens))
	if u.Steps == 0 || byTokens > 0 && byTokens < u.Steps {
		return byTokens
	}
	return u.Steps
}

// Reached reports whether a held-out loss, in nats per token, is low enough; a point without one has 0.
func (u Until) Reached(validation float64) bool {
	return u.Perplexity > 0 && validation > 0 && math.Exp(validation) <= u.Perplexity
}

// String is such as "50 steps", "1000000 tokens or 2m0s", "perplexity 40".
func (u Until) String() string {
	var parts []string
	if u.Steps > 0 {
		parts = append(parts, fmt.Sprintf("%d steps", u.Steps))
	}
	if u.Tokens > 0 {
		parts = append(parts, fmt.Sprintf("%d tokens", u.Tokens))
	}
	if u.Time > 0 {
		parts = append(parts, u.Time.String())
	}
	if u.Perplexity > 0 {
		parts = append(parts, fmt.Sprintf("perplexity %g", u.Perplexity))
	}
	return strings.Join(parts, " or ")
}
