package checkpoint

import (
	"maps"
	"reflect"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// The shapes of every published architecture hold as many values as package slm counts in closed form.
func TestLayoutCountsAsSLMDoes(t *testing.T) {
	for _, name := range slm.PublishedNames() {
		c, err := slm.Published(name)
		if err != nil {
			t.Fatal(err)
		}
		got := int64(0)
		for _, shape := range Layout(c) {
			n, _ := elements(shape)
			got += n
		}
		if want := (slm.Subnet{}).Parameters(c).Total(); got != want {
			t.Errorf("%s: %d parameters in the layout, %d counted", name, got, want)
		}
	}
}

func TestLayoutOfAnUntiedModel(t *testing.T) {
	tied := slm.Config{Name: "t", Family: slm.Llama, Layers: 3, Embd: 8, Heads: 4, QueryGroups: 2, HeadSize: 4, FFN: 12,
		Vocab: 5, Context: 64, NormEps: 1e-5, RopeTheta: 10000, Tied: true}
	untied := tied
	untied.Tied = false
	extra := maps.Clone(Layout(untied))
	maps.DeleteFunc(extra, func(name string, _ []int) bool { _, ok := Layout(tied)[name]; return ok })
	if want := map[string][]int{"lm_head.weight": {5, 8}}; !reflect.DeepEqual(extra, want) {
		t.Errorf("an untied model adds %v, want %v", extra, want)
	}
}
