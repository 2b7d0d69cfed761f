package slm

import "testing"

// What is found is within the fine ratio of the shortest that reaches the target, wherever one begins to look.
func TestReachFindsTheShortest(t *testing.T) {
	for _, c := range []struct{ guess, longest, shortest, most int }{
		{100, 1000, 100, 6}, {100, 1000, 61, 8}, {20, 1000, 333, 14}, {900, 1000, 40, 14}, {60, 1000, 8, 12}, {60, 1000, 1, 12}, {5, 1000, 1000, 18}, {2000, 1000, 900, 4},
	} {
		r := Reach{Guess: c.guess, Longest: c.longest}
		best := 0
		for steps := r.Next(); steps > 0; steps = r.Next() {
			if steps > c.longest || len(r.Tried) > c.most {
				t.Fatalf("%+v: %d steps after %v", c, steps, r.Tried)
			}
			reached := steps >= c.shortest
			if reached && (best == 0 || steps < best) {
				best = steps
			}
			r.Tried = append(r.Tried, Trying{steps, reached})
		}
		if best < c.shortest || float64(best) > reachFine*float64(max(c.shortest, shortestHorizon)) {
			t.Errorf("%+v: found %d in %v", c, best, r.Tried)
		}
	}
}

func TestReachGivesUpAtTheLongest(t *testing.T) {
	r := Reach{Guess: 700, Longest: 1000}
	for steps := r.Next(); steps > 0; steps = r.Next() {
		r.Tried = append(r.Tried, Trying{steps, false})
	}
	if last := r.Tried[len(r.Tried)-1]; len(r.Tried) != 2 || last.Horizon != 1000 {
		t.Errorf("tried %v", r.Tried)
	}
}
