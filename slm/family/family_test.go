package family

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// What is recorded fits together: bins, sizes, and curves that end in the loss.
func TestMembers(t *testing.T) {
	members, err := Members()
	if err != nil {
		t.Fatal(err)
	}
	bins := map[string]slm.Bin{"sprout-0.7m": slm.Around(0.7e6, 0.05), "sprout-1m": slm.Around(1e6, 0.05), "sprout-2m": slm.Around(2e6, 0.05), Teacher: slm.Around(8.4e6, 0.05)}
	if len(members) != len(bins) {
		t.Errorf("%d members", len(members))
	}
	worse := math.Inf(1)
	for _, m := range members {
		if !bins[m.Config.Name].Contains(m.Parameters) || (slm.Subnet{}).Parameters(m.Config).Total() != m.Parameters {
			t.Errorf("%s has %d parameters, its architecture %d", m.Config.Name, m.Parameters, (slm.Subnet{}).Parameters(m.Config).Total())
		}
		if m.Config.Vocab != members[0].Config.Vocab || m.Tokens != members[0].Tokens {
			t.Errorf("%s: %d tokens in its vocabulary, %d in its training", m.Config.Name, m.Config.Vocab, m.Tokens)
		}
		last := m.Curve.Points[len(m.Curve.Points)-1]
		if last.Validation != m.Loss || last.Tokens != m.Tokens {
			t.Errorf("%s: its curve ends at %+v, its record says %g after %d tokens", m.Config.Name, last, m.Loss, m.Tokens)
		}
		if !(m.Loss < worse) {
			t.Errorf("%s has a loss of %g, a smaller one %g", m.Config.Name, m.Loss, worse)
		}
		worse = m.Loss
	}
}

// All of it stays below 25 MB.
func TestSize(t *testing.T) {
	var sum int64
	err := filepath.Walk(".", func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			sum += info.Size()
		}
		return err
	})
	if err != nil || sum > 25e6 || sum < 20e6 {
		t.Errorf("%d bytes, %v", sum, err)
	}
}

func TestNamedRefuses(t *testing.T) {
	if _, err := Named("sprout-3m"); err == nil || !strings.Contains(err.Error(), "it has sprout-0.7m, sprout-1m, sprout-2m, sprout-8m") {
		t.Error(err)
	}
}

func ExampleNamed() {
	m, err := Named("sprout-2m")
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Config.Layers, "layers,", m.Config.Embd, "wide,", slm.Count(m.Parameters), "parameters")
	// Output: 5 layers, 128 wide, 2.04M parameters
}
