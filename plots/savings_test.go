package plots

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// sampleSeeded are made-up findings that look like real ones.
func sampleSeeded() []slm.Seeded {
	run := func(steps int, loss float64) slm.Curve {
		c := slm.Curve{Distillation: slm.Distillation{Schedule: slm.Schedule{Horizon: steps}}}
		c.Points = append(c.Points, slm.Point{Step: steps, Tokens: int64(2048 * steps), Validation: loss})
		return c
	}
	var out []slm.Seeded
	for seed := range 3 {
		shift := 0.03 * float64(seed)
		f := slm.Seeded{Seed: uint64(seed + 1), Baseline: run(1000, 3.5+shift), Runs: map[string][]slm.Curve{}}
		for _, steps := range []int{156, 78, 110} {
			f.Runs["sub-network"] = append(f.Runs["sub-network"], run(steps, 3.52+shift-0.4*math.Log(float64(steps)/110)))
			f.Runs["sub-network-distilled"] = append(f.Runs["sub-network-distilled"], run(steps/2, 3.48+shift-0.5*math.Log(float64(steps)/110)))
		}
		out = append(out, f)
	}
	return out
}

func TestSavingsNumbers(t *testing.T) {
	n := savingsNumbers(sampleSeeded())
	if !reflect.DeepEqual(n.starts, []string{"random", "sub-network", "sub-network-distilled"}) || len(n.lines) != 9 || math.Abs(n.target.Mean-3.53) > 1e-9 {
		t.Errorf("%v, %d lines, target %v", n.starts, len(n.lines), n.target)
	}
	if p := n.lines[3].points; len(p) != 3 || p[0][0] != 78*2048 || p[2][0] != 156*2048 || p[0][1] <= p[1][1] {
		t.Errorf("the runs of a line are %v", p)
	}
	if math.Abs(n.fewer[1].Mean-1000.0/156) > 1e-9 || math.Abs(n.fewer[2].Mean-1000.0/55) > 1e-9 {
		t.Errorf("times fewer tokens %v", n.fewer)
	}
	if !strings.Contains(n.caption(), "sub-network-distilled: 18x fewer tokens (3 seeds)") {
		t.Errorf("caption %q", n.caption())
	}
	arrows := n.arrows()
	if len(arrows) != 2 || arrows[0].words != "6.4x fewer tokens" || arrows[0].tail != 1000*2048 || arrows[0].head != 156*2048 || arrows[1].head != 55*2048 {
		t.Errorf("arrows %+v", arrows)
	}
	if got := savingsNumbers(nil).caption(); !strings.Contains(got, "Each point") {
		t.Errorf("caption of nothing %q", got)
	}
}

func TestSavingsPicture(t *testing.T) {
	for _, found := range [][]slm.Seeded{sampleSeeded(), nil} {
		text, err := Savings(found...).SVG()
		if err != nil || !strings.Contains(text, "tokens of training") {
			t.Errorf("%v", err)
		}
	}
	if dir := picturesFolder(); dir != "" {
		if err := Savings(sampleSeeded()...).WriteFile(dir + "/savings.svg"); err != nil {
			t.Error(err)
		}
	}
}
