package slm

import (
	"strings"
	"testing"
)

// The bins of arXiv 2510.07227 and the quickstart's: each must hold a sub-network of its teacher whose shares are alike.
func TestProportionalStaysInTheBin(t *testing.T) {
	for _, test := range []struct {
		teacher string
		center  float64
	}{
		{"pythia-6.9b", 410e6}, {"pythia-6.9b", 1e9}, {"pythia-6.9b", 2.8e9},
		{"pythia-12b", 410e6}, {"pythia-12b", 1e9}, {"pythia-12b", 2.8e9},
		{"smollm2-135m", 30e6}, {"smollm2-135m", 60e6}, {"qwen3-8b", 1e9}, {"llama-3.1-8b", 1e9},
	} {
		teacher, err := Published(test.teacher)
		if err != nil {
			t.Fatal(err)
		}
		bin := Around(test.center, 0.05)
		z, err := CoarseUniform.Proportional(teacher, bin)
		if err != nil {
			t.Error(err)
			continue
		}
		subnet := z.Subnet(teacher)
		if err := subnet.Validate(teacher); err != nil {
			t.Error(err)
		}
		if n := subnet.Parameters(teacher).Total(); !bin.Contains(n) {
			t.Errorf("%s: %v has %d parameters, outside %v", test.teacher, z, n, bin)
		}
		if whole := (Subnet{}).Parameters(z.Config(teacher)); whole != subnet.Parameters(teacher) {
			t.Errorf("%s: %v: the sub-network counts %v, its architecture %v", test.teacher, z, subnet.Parameters(teacher), whole)
		}
		if spread := z.spread(teacher); spread > 0.02 { // 0.02 is shares within about 15% of each other
			t.Errorf("%s: %v: shares spread by %.4f", test.teacher, z, spread)
		}
		t.Logf("%s %v: %v", test.teacher, bin, z)
	}
}

// Exactly half of everything is the most proportional choice there is, when the bin holds it.
func TestProportionalFindsTheHalf(t *testing.T) {
	teacher, _ := Published("pythia-6.9b")
	half := Sizes{16, 2048, 16, 1, 128, 8192}
	n := float64(half.Subnet(teacher).Parameters(teacher).Total())
	got, err := CoarseUniform.Proportional(teacher, Around(n, 0.05))
	if err != nil || got != half {
		t.Errorf("got %v, %v; want %v", got, err, half)
	}
}

func TestProportionalSaysWhatIsReached(t *testing.T) {
	teacher, _ := Published("pythia-12b")
	_, err := CoarseUniform.Proportional(teacher, Around(10e6, 0.05))
	if err == nil || !strings.Contains(err.Error(), "to 11.8B") {
		t.Errorf("got %v", err)
	}
}

func TestSizesRead(t *testing.T) {
	if got, want := (Sizes{12, 288, 2, 3, 64, 768}).String(), "12 layers, 288 wide, 6 heads of 64 in 2 query groups, FFN 768"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
