package kernelext

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// Ask gives the candidates of a search that this program judges by itself: those that lack their loss before the search can
// go on, none when it is finished. The first call names the search. Asking again, also after an interruption, gives what is
// still missing; very many come in several calls. A search that the host judges is an error of code [Differs], and so are
// other options.
func (c *Client) Ask(ctx context.Context, name string, search slm.Search, watch func(Event)) ([]slm.Candidate, error) {
	search.Told = true
	var pending []slm.Candidate
	err := c.work(ctx, VerbAsk, WorkRequest{Name: name, Search: &search}, watch, &pending)
	return pending, err
}

// Tell records the losses of candidates that [Client.Ask] gave: of all of them, or of none when one is refused. A candidate's
// Latency and Seconds are kept, too. One with a Failure, the reason why it could not be judged, ranks behind all that have a
// loss, and so does one whose loss is not finite.
func (c *Client) Tell(ctx context.Context, name string, candidates ...slm.Candidate) error {
	told := make([]Judgement, len(candidates))
	for i, t := range candidates {
		told[i] = judgement(t)
		if err := told[i].Validate(); err != nil {
			return Errorf(Invalid, "search %s: %v; nothing of this call was recorded", name, err)
		}
	}
	return c.work(ctx, VerbTell, WorkRequest{Name: name, Told: told}, nil, &Summary{})
}

// mostReason bounds the text of a failure, in bytes.
const mostReason = 500

// judgement is what is told of a candidate.
func judgement(c slm.Candidate) Judgement {
	t := Judgement{ID: c.ID, Subnet: c.Subnet.Key(), Loss: c.Loss, Latency: c.Latency, Seconds: c.Seconds}
	if c.Failed() {
		reason := strings.ToValidUTF8(c.Failure[:min(len(c.Failure), mostReason)], "")
		t.Loss, t.Failure = 0, cmp.Or(reason, fmt.Sprintf("its loss is %g", c.Loss))
	}
	return t
}

// Ask gives the candidates of a search that the cell judges by itself, whatever it wants to make small; [Lab.Tell] takes
// their losses, and [Lab.Found] gives the population.
//
//	for pending := lab.Ask("mine", search); len(pending) > 0; pending = lab.Ask("mine", search) {
//		for i := range pending {
//			pending[i].Loss = score(pending[i])
//		}
//		lab.Tell("mine", pending...)
//	}
//
// A candidate that cannot be judged is told with the reason in its Failure instead of a Loss. An interrupted cell is run
// again, and asks for what is still missing.
func (l *Lab) Ask(name string, search slm.Search) (pending []slm.Candidate) {
	l.do("search "+name, func(ctx context.Context, d *display) (line string, err error) {
		pending, err = l.client.Ask(ctx, name, search, quiet(d))
		return "", err
	})
	return pending
}

// Tell records the losses of candidates that [Lab.Ask] gave.
func (l *Lab) Tell(name string, candidates ...slm.Candidate) {
	l.do("search "+name, func(ctx context.Context, _ *display) (line string, err error) {
		return "", l.client.Tell(ctx, name, candidates...)
	})
}
