package export_test

import (
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// A student's weights go wherever they mean the same: into the sub-network of a larger teacher with its sizes, and into the plain
// model that it is. Anywhere else the first difference is named.
func TestFits(t *testing.T) {
	subnet := slm.Subnet{Embd: slm.First(16), Layers: []slm.LayerSubnet{{Layer: 0, QueryGroups: slm.First(2), Heads: slm.First(4), FFN: slm.First(20)},
		{Layer: 2, QueryGroups: slm.First(2), Heads: slm.First(4)}}}
	s := studentOf(smallLlama, subnet)
	larger := smallLlama
	larger.Name, larger.Layers, larger.Embd, larger.QueryGroups, larger.Heads, larger.FFN = "larger", 5, 64, 8, 16, 48
	within := slm.Subnet{Embd: slm.IndicesOf(1, 2, 3, 5, 8, 13, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30), Layers: []slm.LayerSubnet{
		{Layer: 1, QueryGroups: slm.IndicesOf(3, 5), Heads: slm.IndicesOf(6, 7, 10, 11), FFN: slm.First(20)}, {Layer: 4, QueryGroups: slm.First(2), Heads: slm.First(4), FFN: slm.First(24)}}}
	if err := s.Fits(larger, within); err != nil {
		t.Errorf("a sub-network of its sizes: %v", err)
	}
	uniform := studentOf(smallLlama, slm.Subnet{Embd: slm.First(16), Layers: []slm.LayerSubnet{{Layer: 0}, {Layer: 2}}})
	plain, _, err := uniform.Plain()
	if err == nil {
		err = uniform.Fits(plain, slm.Subnet{})
	}
	if err != nil {
		t.Errorf("the plain model that it is: %v", err)
	}
	for want, change := range map[string]func(c *slm.Config, s *slm.Subnet){
		"family is llama in the student, qwen3 is asked for":                  func(c *slm.Config, _ *slm.Subnet) { c.Family = slm.Qwen3 },
		"vocab is 64 in the student, 65 is asked for":                         func(c *slm.Config, _ *slm.Subnet) { c.Vocab++ },
		"embd is 16 in the student, 36":                                       func(_ *slm.Config, s *slm.Subnet) { s.Embd = slm.Indices{} },
		"layers is 2 in the student, 3":                                       func(_ *slm.Config, s *slm.Subnet) { s.Layers = nil },
		"tied is true":                                                        func(c *slm.Config, _ *slm.Subnet) { c.Tied = false },
		"norm_eps is 1e-05 in the student, 1e-06":                             func(c *slm.Config, _ *slm.Subnet) { c.NormEps = 1e-6 },
		"layer 1: heads in its query groups is [2 2] in the student, [2 2 2]": func(_ *slm.Config, s *slm.Subnet) { s.Layers[1] = slm.LayerSubnet{Layer: 2} },
		"layer 0: head_size is 8 in the student, 4":                           func(_ *slm.Config, s *slm.Subnet) { s.Layers[0].HeadSize = slm.First(4) },
		"layer 0: ffn is 20 in the student, 24":                               func(_ *slm.Config, s *slm.Subnet) { s.Layers[0].FFN = slm.Indices{} },
		"layer 0: frequencies of its rotated pairs is":                        func(c *slm.Config, _ *slm.Subnet) { c.RopeTheta = 500 },
	} {
		c, other := smallLlama, subnet
		other.Layers = append([]slm.LayerSubnet(nil), subnet.Layers...)
		change(&c, &other)
		if err := s.Fits(c, other); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
