package check

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// Embedding judges how many parameters the token embedding of a model has: a row of its width for each token of its vocabulary.
func Embedding(model slm.Config, answer int64) Verdict {
	e := exercise{"1.1 The embedding", "a row for each token of the vocabulary (Vocab), as wide as the model (Embd)"}
	right := slm.Subnet{}.Parameters(model).Embedding
	return e.count(answer, right, fmt.Sprintf("%d tokens times %d dimensions are %s parameters.", model.Vocab, model.Embd, slm.Thousands(right)),
		mistake{2 * float64(right), "that counts the output head too. It has a matrix of the same size, but is a part of its own.", ""},
		mistake{float64(model.Vocab + model.Embd), "that adds the vocabulary and the width. A matrix has rows times columns.", ""},
		mistake{float64(model.Vocab), "that is how many tokens there are. Each has a row of numbers, not one.", ""},
		mistake{float64(model.Embd), "that is the row of one token. Each token of the vocabulary has one.", ""},
		mistake{float64(model.Context * model.Embd), "that takes the context, how many tokens the model reads at once. The embedding has a row for each token that there is.", ""})
}

// FFNShare judges which share of a model's parameters, from 0 to 1, is in its feed-forward parts.
func FFNShare(model slm.Config, answer float64) Verdict {
	e := exercise{"1.2 The largest part", "the teacher's counts have a field FFN, and a method Total; divide as float64"}
	counts := slm.Subnet{}.Parameters(model)
	ffn, total := float64(counts.FFN), float64(counts.Total())
	return e.measure(answer, ffn/total, 0.005, fmt.Sprintf("%.1f%% of the parameters are in the feed-forward parts.", 100*ffn/total),
		mistake{100 * ffn / total, "that is the share in per cent. Asked for is a share from 0 to 1.", ""},
		mistake{ffn / float64(model.Layers) / total, "that is the share of one layer's feed-forward part. Every layer has one.", ""},
		mistake{ffn / (total - float64(counts.Head)), "the whole lacks the output head: it is a part of the model, too.", ""},
		mistake{ffn / (ffn + float64(counts.Attention)), "that is the share of the layers only. The embedding, the norms and the output head are parts of the model, too.", ""},
		mistake{float64(counts.Attention) / total, "that is the share of attention.", ""},
		mistake{ffn, "that is the number of parameters. Divide it by the model's total.", ""},
		mistake{total / ffn, "the other way round: the part is divided by the whole.", ""})
}

// Perplexity judges a function from a loss, in nats per token, to a perplexity.
func Perplexity(answer func(loss float64) float64) Verdict {
	e := exercise{"1.3 Loss and perplexity", "the loss is a natural logarithm; which function of package math undoes it?"}
	losses := []float64{1, 2.5, 4}
	agrees := func(with func(float64) float64) bool {
		return !slices.ContainsFunc(losses, func(loss float64) bool { return !(math.Abs(answer(loss)-with(loss)) <= 1e-3*math.Abs(with(loss))) })
	}
	type formula struct {
		of  func(float64) float64
		why string
	}
	wrong, trouble := call(func() string {
		if agrees(func(float64) float64 { return 0 }) {
			return "open"
		}
		for _, f := range []formula{
			{math.Exp, ""},
			{func(x float64) float64 { return x }, "that returns the loss itself. Both measure the same thing, on different scales."},
			{math.Exp2, "that takes 2 to the power of the loss, which is right for a loss in bits. Ours is in nats, with the base e."},
			{func(x float64) float64 { return math.Pow(10, x) }, "that takes 10 to the power of the loss. Ours is in nats, with the base e."},
			{func(x float64) float64 { return math.Exp(-x) }, "that is the mean probability of the right token, below 1. Perplexity is one divided by it."},
			{math.Log, "that takes the logarithm. The loss is one already: the logarithm of the perplexity."},
		} {
			if agrees(f.of) {
				return f.why
			}
		}
		return fmt.Sprintf("of the loss %g it makes %.4g, and should make %.4g.", losses[1], answer(losses[1]), math.Exp(losses[1]))
	})
	switch {
	case trouble != "":
		return e.wrong("perplexity %s", trouble)
	case wrong == "open":
		return e.open()
	case wrong != "":
		return e.wrong("%s", wrong)
	}
	return e.solved("with a loss of 0 a model is sure and right: perplexity 1. With the loss ln V it is at a loss among V tokens: perplexity V.")
}

// Heads judges how many attention heads a model has in all its layers.
func Heads(model slm.Config, answer int) Verdict {
	e := exercise{"1.4 Heads", "every layer has Heads heads of its own"}
	layers, heads := float64(model.Layers), float64(model.Heads)
	return e.count(int64(answer), int64(model.Layers*model.Heads), fmt.Sprintf("%d layers with %d heads each: %d maps like those above.", model.Layers, model.Heads, model.Layers*model.Heads),
		mistake{heads, "that is the heads of one layer.", ""},
		mistake{layers, "that is the number of layers.", ""},
		mistake{layers + heads, "that adds layers and heads. Every layer has heads of its own.", ""},
		mistake{heads * float64(model.HeadSize), "that is heads times the size of a head: how wide the queries of one layer are.", ""},
		mistake{layers * heads * float64(model.HeadSize), "that counts the dimensions of all heads. A head of 32 dimensions is one head.", ""})
}

// LeastMissed judges which layer a teacher misses least, by what dropping each costs; -1 stands for no answer yet.
func LeastMissed(drop slm.Importance, answer int) Verdict {
	e := exercise{"1.5 The layer that is missed least", "look for the lowest bar; layers are numbered from 0"}
	order := byCost(drop)
	least, most := order[0], order[len(order)-1]
	switch {
	case answer == -1:
		return e.open()
	case answer < 0 || answer >= len(order):
		return e.wrong("there is no layer %d: they are numbered from 0 to %d.", answer, len(order)-1)
	case drop.Layers[answer]-drop.Layers[least] < tie:
		return e.solved("without layer %d the teacher loses %.3f nats per token; without layer %d it loses %.3f.", answer, drop.Layers[answer], most, drop.Layers[most])
	case answer == most:
		return e.wrong("without layer %d the teacher loses the most, %.3f nats per token. The higher the bar, the more the layer is missed.", answer, drop.Layers[answer])
	case answer == least+1:
		return e.wrong("layer %d is the next one: are you counting from 1? Layers are numbered from 0.", answer)
	}
	return e.wrong("without layer %d the teacher loses %.3f nats per token, and there is a layer without which it loses less.", answer, drop.Layers[answer])
}

// tie is how far two costs may be apart, in nats per token, and still count as equal: other text would change their order.
const tie = 0.01

// cost is the sum of what dropping each of the layers costs.
func cost(drop slm.Importance, layers []int) (sum float64) {
	for _, layer := range layers {
		sum += drop.Layers[layer]
	}
	return sum
}

// byCost are the layers, those that are missed least first.
func byCost(drop slm.Importance) []int {
	order := make([]int, len(drop.Layers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(drop.Layers[a], drop.Layers[b]) })
	return order
}

// KeepsLayers judges a function that says of each layer whether it is kept: all but the two that are missed least.
func KeepsLayers(drop slm.Importance, answer func(layer int) bool) Verdict {
	const dropped = 2
	e := exercise{"1.6 Layers that stay", "return false for the two layers with the lowest bars, such as return i != 3 && i != 5"}
	kept, trouble := call(func() (kept []int) {
		for layer := range drop.Layers {
			if answer(layer) {
				kept = append(kept, layer)
			}
		}
		return kept
	})
	order := byCost(drop)
	keep := func(layers []int) []int { return slices.Sorted(slices.Values(layers)) }
	switch n := len(order) - dropped; {
	case trouble != "":
		return e.wrong("keepsLayer %s", trouble)
	case len(kept) == 0:
		return e.open()
	case len(kept) == n && cost(drop, order[dropped:])-cost(drop, kept) < tie:
		return e.solved("layers %v stay: the teacher without what it misses least, each for itself. What it misses of two at once may be more than their sum.", kept)
	case slices.Equal(kept, keep(order[:dropped])):
		return e.wrong("the other way round: keepsLayer returns true for layers that stay, and stays true for the two that are missed least only.")
	case slices.Equal(kept, keep(order[:n])):
		return e.wrong("that drops the two layers that are missed most. Those with the lowest bars are to go.")
	case len(kept) != n:
		return e.wrong("%d layers stay, %v, and %d should.", len(kept), kept, n)
	}
	return e.wrong("layers %v stay. The two with the lowest bars are not the two that went.", kept)
}

// Subnetwork judges a sub-network that is written as JSON: all embedding dimensions, every second layer from layer 0 on, and in each of them
// the first half of the heads and of the neurons.
func Subnetwork(teacher slm.Config, text string) Verdict {
	e := exercise{"1.7 A sub-network as JSON", "ranges include both ends: the first four of something are 0-3; each kept layer has an entry of its own"}
	if text == "" {
		return e.open()
	}
	subnet, err := parsed(text)
	if err == nil {
		err = subnet.Validate(teacher)
	}
	if err != nil {
		return e.wrong("that is no sub-network of %s: %v.", teacher.Name, err)
	}
	if subnet.IsZero() {
		return e.wrong("that names no layers, so it is all of the teacher. A missing field means all of it.")
	}
	if n := subnet.Embd.Len(teacher.Embd); n != teacher.Embd {
		return e.wrong("it keeps %d of %d embedding dimensions. All are to stay: leave the field out.", n, teacher.Embd)
	}
	var layers []int
	for _, l := range subnet.KeptLayers(teacher) {
		layers = append(layers, l.Layer)
	}
	if len(layers) != (teacher.Layers+1)/2 || slices.ContainsFunc(layers, func(l int) bool { return l%2 == 1 }) {
		return e.wrong("it keeps layers %v. Every second one from 0 on is asked for: 0, 2, 4 and so on up to at most %d.", layers, teacher.Layers-1)
	}
	for _, l := range subnet.Layers {
		if v := e.firstHalf(l, "heads", l.Shape(teacher).Heads, teacher.Heads, headsOf(l)); v.Outcome != Solved {
			return v
		}
		if v := e.firstHalf(l, "neurons", l.Shape(teacher).FFN, teacher.FFN, l.FFN); v.Outcome != Solved {
			return v
		}
		if l.HeadSize.Len(teacher.HeadSize) != teacher.HeadSize {
			return e.wrong("layer %d keeps heads of %d dimensions. Heads are to stay whole: leave head_size out.", l.Layer, l.HeadSize.Len(teacher.HeadSize))
		}
	}
	return e.solved("%s parameters of the teacher's %s stay. Files, searches and figures all speak this JSON.",
		slm.Count(subnet.Parameters(teacher).Total()), slm.Count(slm.Subnet{}.Parameters(teacher).Total()))
}

// headsOf are a layer's heads, named as such or as query groups: the teachers of the workshop have one for each head.
func headsOf(l slm.LayerSubnet) slm.Indices {
	if l.Heads.IsZero() {
		return l.QueryGroups
	}
	return l.Heads
}

// firstHalf reports a layer that does not keep the first half of its units.
func (e exercise) firstHalf(l slm.LayerSubnet, units string, kept, size int, set slm.Indices) Verdict {
	half := size / 2
	switch {
	case kept == half+1 && set.Contains(half):
		return e.wrong("layer %d keeps %d %s, one too many: a range includes both its ends.", l.Layer, kept, units)
	case kept == size:
		return e.wrong("layer %d keeps all of its %s. A missing field means all of them.", l.Layer, units)
	case kept != half:
		return e.wrong("layer %d keeps %d of %d %s, and half of them are %d.", l.Layer, kept, size, units, half)
	case !set.Equal(slm.First(half)):
		return e.wrong("layer %d keeps %d %s, but not the first ones, which are 0-%d.", l.Layer, kept, units, half-1)
	}
	return Verdict{Outcome: Solved}
}

// parsed reads a sub-network, and nothing but one: a field that it does not have is most likely a slip of the pen.
func parsed(text string) (s slm.Subnet, err error) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, err
	}
	if _, err := d.Token(); err != io.EOF {
		return s, fmt.Errorf("there is more text after its last }")
	}
	return s, nil
}
