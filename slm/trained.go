package slm

import "math"

// Trained is a candidate that a run trained further: whether its search foresaw the loss after that is what matters in the end.
type Trained struct {
	Candidate
	Run        string
	Steps      int
	Validation float64 // the run's last held-out loss, in nats per token
}

// Trained pairs candidates with the runs of their sub-networks that have a held-out loss, in the order of the runs. A run from
// random weights trains an architecture only, not what the search judged, and is left out.
func (p Population) Trained(runs ...Curve) (out []Trained) {
	candidates := map[string]Candidate{}
	for _, c := range p.Candidates {
		candidates[c.Subnet.Normalize(p.Teacher).Key()] = c
	}
	for _, r := range runs {
		c, ok := candidates[r.Distillation.Subnet.Normalize(p.Teacher).Key()]
		if loss := r.Validation(); ok && r.Distillation.Init != FromRandom && r.Teacher.Name == p.Teacher.Name && !math.IsNaN(loss) {
			out = append(out, Trained{c, r.Name, r.Steps(), loss})
		}
	}
	return out
}
