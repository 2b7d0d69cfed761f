package datasets

import "time"

// TokenizeProgress is how far a call of Tokenize is.
type TokenizeProgress struct {
	Documents int64 // of the source that were read, empty and duplicate ones included
	Tokens    int64 // of both halves, those of earlier calls included
	Bytes     int64 // of the text that was read
	Total     int64 // bytes of the source's text; 0 when it does not say
	Limit     int64 // of tokens; 0 when there is none

	Elapsed   time.Duration // since this call began
	NewTokens int64         // that this call made
	NewBytes  int64         // of the text that they were made of
}

// Rate is the tokens per second of this call.
func (p TokenizeProgress) Rate() float64 { return perSecond(p.NewTokens, p.Elapsed) }

// Left is the time that the rest will take at this call's rate; ok is false while nothing says how much there is.
func (p TokenizeProgress) Left() (left time.Duration, ok bool) {
	for _, work := range []struct{ all, done, new int64 }{{p.Total, p.Bytes, p.NewBytes}, {p.Limit, p.Tokens, p.NewTokens}} {
		rate := perSecond(work.new, p.Elapsed)
		if work.all == 0 || rate == 0 {
			continue
		}
		needs := time.Duration(float64(max(work.all-work.done, 0)) / rate * float64(time.Second))
		if !ok || needs < left {
			left, ok = needs, true
		}
	}
	return left, ok
}

func perSecond(n int64, elapsed time.Duration) float64 {
	if elapsed <= 0 {
		return 0
	}
	return float64(n) / elapsed.Seconds()
}

// tokenizeMeter counts, and reports.
type tokenizeMeter struct {
	now    TokenizeProgress
	begin  time.Time
	last   time.Time // of the latest report
	report func(TokenizeProgress)
}

// reportEvery is often enough to watch.
const reportEvery = 200 * time.Millisecond

func newTokenizeMeter(source Source, options TokenizeOptions) tokenizeMeter {
	m := tokenizeMeter{begin: time.Now(), report: options.Progress, now: TokenizeProgress{Limit: options.Limit}}
	if sized, ok := source.(interface{ Bytes() int64 }); ok {
		m.now.Total = sized.Bytes()
	}
	return m
}

// read counts a document that was read.
func (m *tokenizeMeter) read(bytes int64) {
	m.now.Documents, m.now.Bytes = m.now.Documents+1, m.now.Bytes+bytes
}

// made counts the tokens made of a text.
func (m *tokenizeMeter) made(bytes, tokens int64) {
	m.now.NewBytes, m.now.NewTokens, m.now.Tokens = m.now.NewBytes+bytes, m.now.NewTokens+tokens, m.now.Tokens+tokens
}

// tick reports when it is time, or when it must.
func (m *tokenizeMeter) tick(must bool) {
	now := time.Now()
	if m.report == nil || !must && now.Sub(m.last) < reportEvery {
		return
	}
	m.last, m.now.Elapsed = now, now.Sub(m.begin)
	m.report(m.now)
}
