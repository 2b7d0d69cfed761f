package slm

// What one call says of a text is bounded, so that it fits a screen and a message.
const (
	MostPredicted = 512 // tokens of a text whose losses are asked
	MostLikely    = 20  // tokens that are named in each place
)

// Predicted is what a model expects of a text, token by token, reading from left to right.
type Predicted struct {
	Model  string           `json:"model"`
	Steps  int              `json:"steps,omitzero"` // that a run's student was trained for
	Tokens []PredictedToken `json:"tokens"`
	Next   []Likely         `json:"next"` // the likeliest tokens after the text
}

// PredictedToken is a token of a text, and what the model expected in its place after those before it.
type PredictedToken struct {
	ID       int32    `json:"id"`
	Text     string   `json:"text"` // U+FFFD stands for bytes that are a part of a letter
	Loss     float64  `json:"loss"` // −ln p of the token, in nats
	Expected []Likely `json:"expected,omitempty"`
}

// Likely is a token that may come next. Lists of them begin with the likeliest.
type Likely struct {
	ID          int32   `json:"id"`
	Text        string  `json:"text"`
	Probability float64 `json:"p"`
}

// IsPredicted tells a token that the model had to expect from the first of a text that nothing precedes.
func (t PredictedToken) IsPredicted() bool { return len(t.Expected) > 0 }

// Loss is the mean over the tokens that are predicted, in nats per token; 0 where there are none.
func (p Predicted) Loss() float64 {
	sum, n := 0.0, 0
	for _, t := range p.Tokens {
		if t.IsPredicted() {
			sum, n = sum+t.Loss, n+1
		}
	}
	return sum / max(1, float64(n))
}

// After is what the model expects after token i: in the place of the next one, or behind the text after the last. Before the text,
// at -1, that is what it expects in the place of the first. It is nil elsewhere.
func (p Predicted) After(i int) []Likely {
	switch {
	case i >= -1 && i+1 < len(p.Tokens):
		return p.Tokens[i+1].Expected
	case i >= 0 && i+1 == len(p.Tokens):
		return p.Next
	}
	return nil
}
