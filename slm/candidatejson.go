package slm

import (
	"encoding/json"
	"math"
)

// JSON has no infinite numbers: a loss that a candidate lacks, since judging it failed, is null.
type (
	plainCandidate Candidate
	jsonCandidate  struct {
		*plainCandidate
		Loss  *float64   `json:"loss"` // these hide those of the candidate
		Rungs []*float64 `json:"rungs,omitempty"`
	}
)

// MarshalJSON implements json.Marshaler.
func (c Candidate) MarshalJSON() ([]byte, error) {
	out := jsonCandidate{plainCandidate: (*plainCandidate)(&c), Loss: orNull(c.Loss)}
	for _, loss := range c.Rungs {
		out.Rungs = append(out.Rungs, orNull(loss))
	}
	return json.Marshal(out)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Candidate) UnmarshalJSON(text []byte) error {
	*c = Candidate{}
	in := jsonCandidate{plainCandidate: (*plainCandidate)(c)}
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	c.Loss = orInfinite(in.Loss)
	for _, loss := range in.Rungs {
		c.Rungs = append(c.Rungs, orInfinite(loss))
	}
	return nil
}

func orNull(loss float64) *float64 {
	if !finite(loss) {
		return nil
	}
	return &loss
}

func orInfinite(loss *float64) float64 {
	if loss == nil {
		return math.Inf(1)
	}
	return *loss
}
