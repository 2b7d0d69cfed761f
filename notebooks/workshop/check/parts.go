package check

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// Embedding judges a function from the sizes of a model to how many parameters its token embedding has: a row as wide as the model for
// each token of its vocabulary. The teacher's card has that count, so it is asked of another model, too.
func Embedding(teacher slm.Config, answer func(model slm.Config) int) Verdict {
	type function = func(slm.Config) int
	t := task[function]{
		exercise: exercise{"1.1 The embedding", "a row for each token of the vocabulary (Vocab), as wide as the model (Embd)"},
		right:    func(m slm.Config) int { return m.Vocab * m.Embd },
		slips: []slip[function]{
			{func(m slm.Config) int { return 2 * m.Vocab * m.Embd }, "that counts the output head too. It has a matrix of the same size, but is a part of its own.", ""},
			{func(m slm.Config) int { return m.Vocab + m.Embd }, "that adds the vocabulary and the width. A matrix has rows times columns.", ""},
			{func(m slm.Config) int { return m.Vocab }, "that is how many tokens there are. Each has a row of numbers, not one.", ""},
			{func(m slm.Config) int { return m.Embd }, "that is the row of one token. Each token of the vocabulary has one.", ""},
			{func(m slm.Config) int { return m.Context * m.Embd }, "that takes the context, how many tokens the model reads at once. The embedding has a row for each token that there is.", ""},
			{func(m slm.Config) int { return 4 * m.Vocab * m.Embd }, "that is how many bytes it takes at four for each parameter. Asked for are the parameters.", ""},
			{func(slm.Config) int { return teacher.Vocab * teacher.Embd },
				"right for this teacher, but the same for every other model: compute it from the fields of c.", ""},
		},
	}
	other := teacher
	other.Vocab, other.Embd, other.Context = 12*teacher.Vocab, 3*teacher.Embd, 2*teacher.Context
	for _, m := range []slm.Config{teacher, other} {
		t.trials = append(t.trials, trial[function]{fmt.Sprintf("embedding of a model with Vocab %d and Embd %d", m.Vocab, m.Embd),
			func(f function) []float64 { return []float64{float64(f(m))} }, ""})
	}
	return t.judge(answer, fmt.Sprintf("%d tokens times %d dimensions are %s parameters, as the card says.", teacher.Vocab, teacher.Embd, slm.Thousands(int64(teacher.Vocab*teacher.Embd))))
}

// FFNShare judges a function from the parameters of a model's parts to the share, from 0 to 1, of its feed-forward ones.
func FFNShare(model slm.Config, answer func(counts slm.Counts) float64) Verdict {
	type function = func(slm.Counts) float64
	share := func(part, whole int64) float64 { return float64(part) / float64(whole) }
	t := task[function]{
		exercise: exercise{"1.2 The largest part", "float64(counts.FFN) is a number that can be divided; counts.Total() counts all parts"},
		right:    func(c slm.Counts) float64 { return share(c.FFN, c.Total()) },
		slips: []slip[function]{
			{func(c slm.Counts) float64 { return float64(c.FFN / c.Total()) },
				wholeNumbers, ""},
			{func(c slm.Counts) float64 { return 100 * share(c.FFN, c.Total()) }, "that is the share in per cent. Asked for is a share from 0 to 1.", ""},
			{func(c slm.Counts) float64 { return share(c.FFN, int64(model.Layers)*c.Total()) }, "that is the share of one layer's feed-forward part. Every layer has one.", ""},
			{func(c slm.Counts) float64 { return share(c.FFN, c.Total()-c.Head) }, "the whole lacks the output head: it is a part of the model, too.", ""},
			{func(c slm.Counts) float64 { return share(c.FFN, c.FFN+c.Attention) },
				"that is the share of the layers only. The embedding, the norms and the output head are parts of the model, too.", ""},
			{func(c slm.Counts) float64 { return share(c.Attention, c.Total()) }, "that is the share of attention.", ""},
			{func(c slm.Counts) float64 { return float64(c.FFN) }, "that is the number of parameters. Divide it by the model's total.", ""},
			{func(c slm.Counts) float64 { return share(c.Total(), c.FFN) }, "the other way round: the part is divided by the whole.", ""},
		},
	}
	counts := slm.Subnet{}.Parameters(model)
	for _, c := range []struct {
		counts      slm.Counts
		call, about string
	}{
		{counts, "ffnShare of the teacher's counts", "A rounded number is not asked for: compute it from counts."},
		{slm.Counts{Embedding: 2, Attention: 3, FFN: 3, Norm: 1, Head: 1}, "ffnShare(slm.Counts{Embedding: 2, Attention: 3, FFN: 3, Norm: 1, Head: 1})",
			"It is to be right for any model: compute it from counts."},
		{slm.Counts{FFN: 4}, "ffnShare(slm.Counts{FFN: 4})", "There is nothing else in that model."},
	} {
		t.trials = append(t.trials, trial[function]{c.call, func(f function) []float64 { return []float64{f(c.counts)} }, c.about})
	}
	return t.judge(answer, fmt.Sprintf("%.1f%% of the parameters are in the feed-forward parts.", 100*share(counts.FFN, counts.Total())))
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
			{func(x float64) float64 { return math.Exp(-x) }, "that is the (geometric) mean of the probabilities of the right tokens, below 1. Perplexity is one divided by it."},
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

// PerplexityWithout judges how many times as high a teacher's perplexity is without one of its layers, by what dropping each costs; 0
// stands for no answer yet.
func PerplexityWithout(drop slm.Importance, layer int, answer float64) Verdict {
	e := exercise{"1.5 Losses and perplexities", "a perplexity is math.Exp of a loss, and math.Exp(a + b) is math.Exp(a) * math.Exp(b)"}
	more := drop.Layers[layer]
	right := math.Exp(more)
	return e.measure(answer, right, 0.005, fmt.Sprintf("math.Exp(%.3f) is %.2f: a difference of losses is a ratio of perplexities.", more, right),
		mistake{more, "that is by how much the loss is higher, in nats. Asked for is how many times as high the perplexity is.", ""},
		mistake{1 + more, "that adds 1 to the difference of the losses. It is near, since the difference is small, but perplexities are exponentials of losses.", ""},
		mistake{1 / right, "the other way round: without the layer the perplexity is higher, so the ratio is above 1.", ""},
		mistake{right - 1, "that is by which share it grows. Asked for is how many times as high it then is: one more.", ""},
		mistake{100 * (right - 1), "that is by how many per cent it grows. Asked for is how many times as high it then is.", ""},
		mistake{100 * right, "that is in per cent. Asked for is how many times as high it is.", ""},
		mistake{math.Exp2(more), "that takes 2 to the power of the difference, which is right for losses in bits. Ours are in nats.", ""},
		mistake{math.Exp(drop.Layers[0]), "that is without the first layer. Asked for is the last one.", ""})
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
	e := exercise{"1.6 Layers that stay", "return false for the two layers with the lowest bars, as return i != 6 && i != 7 does for the last two of eight"}
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
	case len(kept) == len(order):
		return e.wrong("all layers stay. If you wrote i != a || i != b: that is true of every i, since none is both.").
			hinting("join the two with &&")
	case len(kept) == n && cost(drop, order[dropped:])-cost(drop, kept) < tie:
		return e.solved("layers %v stay: the teacher without what it misses least, each for itself. What it misses of two at once may be more than their sum.", kept)
	case slices.Equal(kept, keep(order[:dropped])):
		return e.wrong("the other way round: keepsLayer returns true for layers that stay, and is true here for the two that are missed least only.")
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
		v := e.wrong("that is no sub-network of %s: %v.", teacher.Name, err)
		if mistyped := new(json.UnmarshalTypeError); errors.As(err, &mistyped) {
			v = v.hinting("layers is a list of {…}, each with the number of a layer; heads and ffn are texts, such as \"0-2\"")
		}
		return v
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
