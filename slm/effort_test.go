package slm

import "testing"

// A finished search took the effort that was expected of it, and rungs on little text take little.
func TestEffort(t *testing.T) {
	for _, test := range []struct {
		search Search
		want   float64
	}{
		{Search{Population: 8, Generations: 1, Offspring: 4}, 12},
		{Search{Population: 8, Generations: 1, Offspring: 4, Halving: Halving{Rungs: 3}}, (8./4 + 4./2 + 2) + (4./4 + 2./2 + 1)},
		{Search{Population: 9, Offspring: 9, Generations: 1, Halving: Halving{Rungs: 2, Keep: 1. / 3}}, 2 * (9./3 + 3)},
	} {
		s := test.search
		s.Bin = Around(30e6, 0.05)
		s = s.WithDefaults()
		if got := s.Effort(); !near(got, test.want) {
			t.Errorf("%+v: effort %g, want %g", s.Halving, got, test.want)
		}
		p := Population{Search: s}
		for !p.Done() {
			pending, err := s.Next(smol(t), p.Candidates)
			if err != nil || len(pending) == 0 {
				t.Fatal(err)
			}
			for _, c := range pending {
				p.Replace(s.Judge(c, toyLoss(c)))
			}
		}
		if got := p.Effort(); !near(got, test.want) {
			t.Errorf("%+v: a finished search took %g, want %g", s.Halving, got, test.want)
		}
	}
}

func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }
