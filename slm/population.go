package slm

import (
	"math"
	"time"
)

// Candidate is a sub-network that a search proposed, with its evaluation once that is done.
type Candidate struct {
	ID         int       `json:"id"`         // unique in its search, in the order of proposal
	Generation int       `json:"generation"` // 0 is the initial population
	Origin     string    `json:"origin"`     // "random", "mutation" or "crossover"
	Parents    []int     `json:"parents,omitempty"`
	Subnet     Subnet    `json:"subnet"`
	Parameters int64     `json:"parameters"`
	FLOPs      int64     `json:"flops"`              // forward, per token, in windows of the teacher's whole context
	KVBytes    int64     `json:"kv_bytes"`           // of a token's keys and values in 16 bits
	Loss       float64   `json:"loss"`               // mean cross-entropy on the search's held-out tokens, in nats per token; infinite of a failure
	Failure    string    `json:"failure,omitempty"`  // why judging gave no loss
	Rungs      []float64 `json:"rungs,omitempty"`    // with [Halving], the losses on ever more tokens; the last is Loss
	Untrained  float64   `json:"untrained,omitzero"` // the loss before the steps of a warm search
	Latency    float64   `json:"latency,omitzero"`   // seconds of the forward pass over 1,000 of those tokens, as measured
	Seconds    float64   `json:"seconds"`            // time the evaluation took
	Evaluated  time.Time `json:"evaluated,omitzero"`
}

// Perplexity is exp(Loss).
func (c Candidate) Perplexity() float64 { return math.Exp(c.Loss) }

// Population is a search and the candidates that it has evaluated so far.
type Population struct {
	Name       string      `json:"name"`
	Teacher    Config      `json:"teacher"`
	Search     Search      `json:"search"`
	Held       Held        `json:"held,omitzero"`
	Exhausted  bool        `json:"exhausted,omitzero"` // it ended early: many draws found no other sub-network in the bin
	Candidates []Candidate `json:"candidates"`         // in the order of their IDs
}

// Held says on which slice of held-out text a search judges its candidates. One that a cell judges has at most an Order.
type Held struct {
	Corpus string `json:"corpus"`          // the text, and its version
	Tokens int    `json:"tokens"`          // predicted tokens
	Window int    `json:"window"`          // of which so many are in a window
	SHA256 string `json:"sha256"`          // of the windows' token IDs, 32 bits each, little-endian
	Order  string `json:"order,omitempty"` // SHA-256 of the order that the search's [Reorder] meant, as JSON
}

// Best is the evaluated candidate with the lowest loss; the zero Candidate of an empty population, and one that failed only
// where all did. With [Halving] it is one of those that were judged on the most tokens.
func (p Population) Best() Candidate {
	if len(p.Candidates) == 0 {
		return Candidate{}
	}
	return Elites(p.Candidates, 1)[0]
}

// Done reports whether every generation has been evaluated, or all that was found in the bin.
func (p Population) Done() bool { return p.Exhausted || p.Evaluations() >= p.Search.Evaluations() }
