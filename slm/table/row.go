package table

import (
	"encoding/json"
	"math"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// row is a candidate in a table, its columns in their order. A nil number is one that is not known.
type row struct {
	Search     string     `json:"search" parquet:"search"`
	Seed       uint64     `json:"seed" parquet:"seed"`
	ID         int64      `json:"id" parquet:"id"`
	Generation int64      `json:"generation" parquet:"generation"`
	Origin     string     `json:"origin" parquet:"origin"`
	Parents    []int64    `json:"parents" parquet:"parents,list"`
	Parameters int64      `json:"parameters" parquet:"parameters"`
	FLOPs      int64      `json:"flops" parquet:"flops"`           // forward, per token
	KVBytes    int64      `json:"kv_bytes" parquet:"kv_bytes"`     // of a token
	Loss       *float64   `json:"loss" parquet:"loss"`             // nats per token; of a told search the cell's score; nil of a failure
	Perplexity *float64   `json:"perplexity" parquet:"perplexity"` // exp(loss); nil of a told search
	Untrained  *float64   `json:"untrained" parquet:"untrained"`   // loss before the steps of a warm search
	Rungs      []*float64 `json:"rungs" parquet:"rungs,list"`      // losses of a search with halving
	Latency    *float64   `json:"latency" parquet:"latency"`       // seconds for 1,000 tokens
	Seconds    float64    `json:"seconds" parquet:"seconds"`       // of the evaluation; 0 where the loss was known
	Evaluated  time.Time  `json:"evaluated" parquet:"evaluated,timestamp(microsecond:utc)"`
	Layers     int64      `json:"layers" parquet:"layers"` // kept
	Embd       int64      `json:"embd" parquet:"embd"`     // kept
	Subnet     text       `json:"subnet" parquet:"subnet"`
	Failure    *string    `json:"failure" parquet:"failure"` // why a candidate has no loss
}

// text is JSON: a string in CSV and Parquet, a value in JSON.
type text string

// MarshalJSON implements json.Marshaler.
func (t text) MarshalJSON() ([]byte, error) { return []byte(t), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(value []byte) error {
	*t = text(value)
	return nil
}

func rows(p slm.Population) []row {
	out := make([]row, len(p.Candidates))
	for i, c := range p.Candidates {
		out[i] = row{Search: p.Name, Seed: p.Search.Seed, ID: int64(c.ID), Generation: int64(c.Generation), Origin: c.Origin, Parents: []int64{},
			Parameters: c.Parameters, FLOPs: c.FLOPs, KVBytes: c.KVBytes, Loss: finite(c.Loss), Untrained: measured(c.Untrained),
			Rungs: []*float64{}, Latency: measured(c.Latency), Seconds: c.Seconds, Evaluated: c.Evaluated.UTC(),
			Layers: int64(len(c.Subnet.Layers)), Embd: int64(c.Subnet.Embd.Len(p.Teacher.Embd)), Subnet: subnet(c.Subnet)}
		for _, id := range c.Parents {
			out[i].Parents = append(out[i].Parents, int64(id))
		}
		if len(c.Subnet.Layers) == 0 { // all of them
			out[i].Layers = int64(p.Teacher.Layers)
		}
		for _, loss := range c.Rungs {
			out[i].Rungs = append(out[i].Rungs, finite(loss))
		}
		if !p.Search.Told {
			out[i].Perplexity = finite(c.Perplexity())
		}
		if c.Failure != "" {
			out[i].Failure = &c.Failure
		}
	}
	return out
}

// finite is nil for a number that is not.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// measured is nil for a number that was not measured.
func measured(v float64) *float64 {
	if v == 0 {
		return nil
	}
	return &v
}

func subnet(s slm.Subnet) text {
	out, err := json.Marshal(s)
	if err != nil {
		panic(err) // only strings and integers inside
	}
	return text(out)
}
