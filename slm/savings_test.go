package slm

import "testing"

// A start that has reached the target before its first step costs that step: its savings are numbers.
func TestSavingsOfAStartThatIsThereUntrained(t *testing.T) {
	teacher := smol(t)
	run := func(losses ...float64) Curve {
		c := Curve{Teacher: teacher, Distillation: Distillation{Batch: 2, SeqLen: 8, Loss: CE(1)}}
		for step, loss := range losses {
			c.Points = append(c.Points, Point{Step: step, Tokens: int64(16 * step), Validation: loss, Seconds: float64(step)})
		}
		return c
	}
	found := []Seeded{{Seed: 1, Baseline: run(9, 5, 4, 3), Runs: map[string][]Curve{"ahead": {run(4, 3.5, 2), run(2.5, 2.25, 2)}, "behind": {run(9, 8)}}}}
	saved := Efficiency{Starts: []Start{{Name: "ahead"}, {Name: "behind"}}}.Savings(teacher, 0, found).Starts
	if got := saved[0]; got.Tokens.Mean != 16 || got.ByTokens.Mean != 3 || got.ByFLOPs.Mean != 3 || got.Seeds != 1 {
		t.Errorf("ahead: %+v", got)
	}
	if got := saved[1]; got.Seeds != 0 || got.Tokens.N != 0 {
		t.Errorf("behind: %+v", got)
	}
}
