package slm

import (
	"encoding/json"
	"testing"
)

func TestSpent(t *testing.T) {
	a, b := Spent{Data: 1, Student: 2, Checkpoint: 4}, Spent{Teacher: 8, Student: 16, Validation: 32}
	c := Curve{Points: []Point{{Validation: 3}, {Step: 1, Spent: a}, {Step: 2, Spent: b}}}
	if got, want := c.Spent(), (Spent{1, 8, 18, 32, 4}); got != want || got.Total() != 63 {
		t.Errorf("%+v in %g s, want %+v in 63", got, got.Total(), want)
	}
	for i, name := range []string{"data", "teacher", "student", "validation", "checkpoint"} {
		if part := c.Spent().Parts()[i]; part.Name != name || part.Seconds != []float64{1, 8, 18, 32, 4}[i] {
			t.Errorf("part %d is %+v", i, part)
		}
	}
	for text, want := range map[string]Point{
		`{"step":1,"tokens":512,"seconds":0.5}`:                         {Step: 1, Tokens: 512, Seconds: 0.5}, // a record of before
		`{"step":1,"tokens":512,"seconds":0.5,"spent":{"student":0.5}}`: {Step: 1, Tokens: 512, Seconds: 0.5, Spent: Spent{Student: 0.5}},
	} {
		var got Point
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s is read as %+v (%v)", text, got, err)
		}
		if again, err := json.Marshal(got); err != nil || string(again) != text {
			t.Errorf("%s is written as %s (%v)", text, again, err)
		}
	}
}
