package resident

import (
	"context"
	"crypto/sha256"
	endian "encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// Judge evaluates a search's candidates with its teacher, for a lab and for a batch job alike.
type Judge struct {
	teacher Teacher
	search  slm.Search // with the order that its Reorder means
	windows []int32    // the whole held-out slice
	report  Report
	hashes  map[int]string // of the slice's first so many IDs

	// Known, when not nil, looks for a measurement that need not be made again.
	Known func(Basis) (Measurement, bool, error)
}

// Basis is what a measurement depends on: the same basis gives the same loss.
type Basis struct {
	Teacher string // SHA-256
	Corpus  string // from which the tokens come
	Held    string // SHA-256 of the token IDs on which the loss was taken
	Warm    string // the JSON of the plan of training; nothing without one
	Subnet  string // its key
}

// Measurement is a sub-network's cross-entropy on held-out text, in nats per token.
type Measurement struct {
	Loss      float64 // after the steps of a warm search
	Untrained float64 // before them; 0 in another search
	Latency   float64 // seconds of the untrained forward pass for 1,000 tokens
}

// failure says why a measurement is no loss; nothing of one that is.
func (m Measurement) failure(warm slm.Warm) string {
	switch {
	case finite(m.Loss):
		return ""
	case warm.IsZero():
		return fmt.Sprintf("its loss is %g", m.Loss)
	case m.Untrained == 0:
		return fmt.Sprintf("its loss before training is %g", m.Loss)
	}
	return fmt.Sprintf("its loss after %d steps of training is %g", warm.Steps, m.Loss)
}

// NewJudge reads the held-out text of a search. Where the search reorders the teacher, the order comes from a measurement
// that is kept in the state folder home, and made if it is not there.
func NewJudge(ctx context.Context, home string, t Teacher, s slm.Search, report Report) (*Judge, error) {
	windows, err := t.Held(ctx, s.Data, s.Tokens, window, report)
	if err != nil {
		return nil, err
	}
	if s, err = reordered(ctx, home, t, s, report); err != nil {
		return nil, err
	}
	if err := t.Prepare(ctx, s, len(windows)/(window+1), window, report); err != nil {
		return nil, err
	}
	return &Judge{teacher: t, search: s, windows: windows, report: report, hashes: map[int]string{}}, nil
}

// corpus names the text on which candidates are judged.
func (j *Judge) corpus() string {
	if j.search.Data.IsZero() {
		return j.teacher.Corpus()
	}
	return j.search.Data.String()
}

// Held describes the slice of text.
func (j *Judge) Held() slm.Held {
	n := len(j.windows) / (window + 1)
	return slm.Held{Corpus: j.corpus(), Tokens: n * window, Window: window, SHA256: j.hash(len(j.windows)), Order: orderHash(j.search.Order)}
}

// orderHash is the SHA-256 of an order as JSON; nothing without one.
func orderHash(order *slm.Order) string {
	if order == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(text(order)))
	return hex.EncodeToString(sum[:])
}

// hash is the SHA-256 of the first so many token IDs.
func (j *Judge) hash(ids int) string {
	if _, ok := j.hashes[ids]; !ok {
		h := sha256.New()
		_ = endian.Write(h, endian.LittleEndian, j.windows[:ids]) // a hash takes all that is written
		j.hashes[ids] = hex.EncodeToString(h.Sum(nil))
	}
	return j.hashes[ids]
}

// Evolve evaluates what a population lacks. Each evaluation is handed to keep, which makes it last, before the next begins,
// and then shown to watch. When ctx ends, the evaluation in work is finished, and the error is that of ctx.
func (j *Judge) Evolve(ctx context.Context, p *slm.Population, keep func(slm.Candidate, Basis) error, watch func(kernelext.Event)) error {
	var pace pace
	for {
		pending, err := j.search.Next(p.Teacher, p.Candidates)
		if err != nil {
			return kernelext.Errorf(kernelext.Invalid, "%v", err)
		}
		if len(pending) == 0 {
			p.Exhausted = p.Evaluations() < p.Search.Evaluations()
			return nil
		}
		for _, c := range pending {
			if err := ctx.Err(); err != nil {
				return err
			}
			before, spent := p.Effort(), c.Seconds
			c, basis, err := j.evaluate(context.WithoutCancel(ctx), c)
			if err != nil {
				return fmt.Errorf("candidate %d: %w", c.ID, err)
			}
			if err := keep(c, basis); err != nil {
				return err
			}
			p.Replace(c)
			if took := c.Seconds - spent; took > 0 {
				pace.add(took / (p.Effort() - before))
			}
			watch(evaluated(*p, c, pace))
		}
	}
}

// evaluate judges a candidate once: on all of the text, or on as much as its next rung takes.
func (j *Judge) evaluate(ctx context.Context, c slm.Candidate) (slm.Candidate, Basis, error) {
	tokens, warm := j.search.Rung(c, window)
	windows := j.windows[:min(len(j.windows), (tokens+window-1)/window*(window+1))]
	basis := Basis{Teacher: j.teacher.SHA256(), Corpus: j.corpus(), Held: j.hash(len(windows)), Subnet: c.Subnet.Key()}
	if !warm.IsZero() {
		basis.Warm = text(warm)
	}
	m, known, err := j.known(basis)
	if begin := time.Now(); err == nil && !known {
		m, err = j.measure(ctx, c.Subnet, windows, warm)
		c.Seconds += time.Since(begin).Seconds()
	}
	if err != nil {
		return c, basis, err
	}
	if failure := m.failure(warm); failure != "" {
		c = j.search.Fail(c, failure)
	} else {
		c = j.search.Judge(c, m.Loss)
	}
	c.Untrained, c.Latency, c.Evaluated = m.Untrained, m.Latency, time.Now().UTC()
	return c, basis, nil
}

func (j *Judge) known(b Basis) (m Measurement, known bool, err error) {
	if j.Known == nil {
		return m, false, nil
	}
	return j.Known(b)
}

// measure takes the loss of a sub-network as it is, and in a warm search as it is after some steps of training.
func (j *Judge) measure(ctx context.Context, subnet slm.Subnet, windows []int32, warm slm.Warm) (m Measurement, err error) {
	if slices.Contains(j.search.Objectives, slm.MinimizeLatency) { // once before, so that no compilation is timed
		if _, err := j.teacher.Loss(ctx, subnet, windows, window); err != nil {
			return m, err
		}
	}
	begin := time.Now()
	if m.Loss, err = j.teacher.Loss(ctx, subnet, windows, window); err != nil {
		return m, err
	}
	m.Latency = time.Since(begin).Seconds() * 1000 / float64(len(windows)/(window+1)*window)
	if warm.IsZero() || !finite(m.Loss) { // training would begin with gradients that are no numbers
		return m, nil
	}
	m.Untrained = m.Loss
	m.Loss, err = j.teacher.WarmLoss(ctx, warm, subnet, windows, window, j.report)
	return m, err
}

// evaluated is the event of an evaluation. Later rungs take longer: the time left counts them by how much.
func evaluated(p slm.Population, c slm.Candidate, pace pace) kernelext.Event {
	e := kernelext.Event{Kind: kernelext.Candidate, Candidate: &c, Done: int64(p.Evaluations()), Total: int64(p.Search.Evaluations()), Unit: "evaluations"}
	if mean, left := pace.mean(), p.Search.Effort()-p.Effort(); mean > 0 {
		e.Left = mean * max(0, left)
		e.Rate = 1 / mean
		if rest := e.Total - e.Done; rest > 0 && e.Left > 0 {
			e.Rate = float64(rest) / e.Left
		}
	}
	return e
}

// SameText is the error of a search that was judged on another text than it would be now; nil where they are the same. What
// a search of an earlier Offshoot was judged on is not known, and passes.
func SameText(what string, was, is slm.Held) error {
	if was == (slm.Held{}) || was == is {
		return nil
	}
	if was.Order != "" && was.SHA256 == is.SHA256 {
		return kernelext.Errorf(kernelext.Differs, "%s was of the teacher's units in another order than they have now (their importance was measured anew): "+
			"begin a search under another name", what)
	}
	say := func(h slm.Held) string {
		return fmt.Sprintf("%d tokens of %s in windows of %d (SHA-256 %.12s)", h.Tokens, h.Corpus, h.Window, h.SHA256)
	}
	return kernelext.Errorf(kernelext.Differs, "%s was judged on %s; now that is %s, and losses on different texts cannot be compared: "+
		"bring the old text back (was Go updated?), or begin a search under another name", what, say(was), say(is))
}
