package model

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"
	gomlx "github.com/gomlx/gomlx/ml/model"

	"github.com/offshoot-ml/offshoot/slm"
)

// tiny is a Llama small enough to compile and run in milliseconds, with every kind of dimension.
func tiny(tied bool) slm.Config {
	return slm.Config{Name: "tiny", Family: slm.Llama, Layers: 4, Embd: 36, Heads: 6, QueryGroups: 3, HeadSize: 8, FFN: 60,
		Vocab: 97, Context: 64, NormEps: 1e-5, RopeTheta: 10000, Tied: tied}
}

// tinies are one of each family, with what is special to it.
func tinies() []slm.Config {
	neox := tiny(false)
	neox.Name, neox.Family, neox.QueryGroups, neox.RotaryFraction, neox.ParallelResidual = "tiny-neox", slm.GPTNeoX, 6, 0.5, true
	sequential := neox
	sequential.Name, sequential.ParallelResidual, sequential.RotaryFraction, sequential.Tied = "tiny-neox-sequential", false, 0, true
	qwen := tiny(true)
	qwen.Name, qwen.Family = "tiny-qwen", slm.Qwen3
	llama3 := tiny(false)
	llama3.Name = "tiny-llama3"
	llama3.RopeScaling = slm.RopeScaling{Kind: slm.Llama3Scaling, Factor: 4, LowFrequencyFactor: 1, HighFrequencyFactor: 4, OriginalContext: 32}
	return []slm.Config{tiny(true), neox, sequential, qwen, llama3}
}

// newTiny is a teacher with random weights, spread so that no part of the model is negligible.
func newTiny(t *testing.T, config slm.Config) (compute.Backend, *Teacher) {
	t.Helper()
	backend, err := NewBackend()
	if err != nil {
		t.Fatal(err)
	}
	weights := RandomWeights(config, slm.Subnet{}, 5)
	for _, w := range weights {
		if len(w.Shape) == 1 {
			for i := range w.Data {
				w.Data[i] += 0.3 * float32(math.Sin(float64(i)+float64(len(w.Data)))) // biases, too
			}
			continue
		}
		for i := range w.Data {
			w.Data[i] *= 12
		}
	}
	teacher, err := Load(context.Background(), backend, config, weights, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { teacher.Close(); backend.Finalize() })
	return backend, teacher
}

func someTokens(n, vocab int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32((i*i*31 + 7*i) % vocab)
	}
	return out
}

// inPlace are the logits, [B·T, V], of a sub-network inside its teacher.
func inPlace(t *testing.T, teacher *Teacher, subnet slm.Subnet, tokens *tensors.Tensor) []float32 {
	t.Helper()
	logits, err := teacher.SubnetLogits(context.Background(), subnet, tokens)
	if err != nil {
		t.Fatal(err)
	}
	defer free(logits)
	return tensors.MustCopyFlatData[float32](logits)
}

// dense are the logits of the extracted student.
func dense(t *testing.T, backend compute.Backend, teacher *Teacher, subnet slm.Subnet, tokens *tensors.Tensor) []float32 {
	t.Helper()
	weights, err := teacher.Extract(subnet)
	if err != nil {
		t.Fatal(err)
	}
	student, err := NewStudent(backend, teacher.Config, subnet, weights)
	if err != nil {
		t.Fatal(err)
	}
	defer student.Close()
	if got, want := int64(student.Store.NumParameters()), subnet.Parameters(teacher.Config).Total(); got != want {
		t.Errorf("the student of %v has %d parameters, counted %d", subnet, got, want)
	}
	exec, err := gomlx.NewExec(backend, student.Store, func(scope *gomlx.Scope, tokens *Node) *Node { return student.LogitsGraph(scope, tokens) })
	if err != nil {
		t.Fatal(err)
	}
	logits, err := exec.Call1(tokens)
	if err != nil {
		t.Fatal(err)
	}
	return tensors.MustCopyFlatData[float32](logits)
}

func farthest(a, b []float32) (difference, largest float64) {
	for i := range a {
		difference = max(difference, math.Abs(float64(a[i]-b[i])))
		largest = max(largest, math.Abs(float64(b[i])))
	}
	return difference, largest
}

// Evaluating inside the teacher and extracting a dense student are two ways to the same logits, for random sub-networks of
// every space and family.
func TestInPlaceAndExtractedAgree(t *testing.T) {
	for _, config := range tinies() {
		t.Run(config.Name, func(t *testing.T) {
			backend, teacher := newTiny(t, config)
			tokens := tensors.FromFlatDataAndDimensions(someTokens(2*16, config.Vocab), 2, 16)
			for _, s := range someSubnets(t, config) {
				got, want := inPlace(t, teacher, s, tokens), dense(t, backend, teacher, s, tokens)
				if difference, largest := farthest(got, want); !(difference <= 1e-5*largest) || largest < 0.1 {
					text, _ := json.Marshal(s)
					t.Errorf("%s: logits differ by %g of %g", text, difference, largest)
				}
			}
		})
	}
}

// someSubnets are the whole, a part with whole layers, one drawn from each space, and others of any index sets: with
// unequally many heads in the groups and smaller heads, one choice for all layers or one for each, with recomputed and with
// kept rotary positions. Compiling their students takes most of the test's time.
func someSubnets(t *testing.T, config slm.Config) []slm.Subnet {
	t.Helper()
	subnets := []slm.Subnet{{}, {Layers: []slm.LayerSubnet{{Layer: 1}, {Layer: 3, FFN: slm.First(7)}}}}
	for i, space := range []slm.Space{slm.CoarseUniform, slm.CoarseLayerWise, slm.FineUniform, slm.FineLayerWise} {
		c, err := slm.Search{Space: space, Bin: slm.Bin{Lower: 1, Upper: 1 << 30}}.Sample(config, uint64(i+1))
		if err != nil {
			t.Fatal(err)
		}
		subnets = append(subnets, c.Subnet)
	}
	if config.RotaryFraction > 0 { // heads of which nothing turns
		subnets = append(subnets, slm.Subnet{Rotary: slm.Kept, Layers: []slm.LayerSubnet{
			{Layer: 1, HeadSize: slm.IndicesOf(5, 6)}, {Layer: 2, HeadSize: slm.IndicesOf(7)}}})
	}
	for seed := range uint64(4) {
		s := fine(config, seed%2 == 0, slm.Rotary([]slm.Rotary{slm.Recomputed, slm.Kept}[seed/2%2]), seed)
		if err := s.Validate(config); err != nil {
			t.Fatal(err)
		}
		subnets = append(subnets, s)
	}
	return subnets
}

// fine draws any index sets.
func fine(c slm.Config, uniform bool, rotary slm.Rotary, seed uint64) slm.Subnet {
	r := rand.New(rand.NewPCG(seed, 1))
	some := func(size, least int) slm.Indices { return slm.IndicesOf(r.Perm(size)[:least+r.IntN(size-least+1)]...) }
	layer := func() (l slm.LayerSubnet) {
		l.FFN, l.QueryGroups = some(c.FFN, 1), some(c.QueryGroups, 1)
		var heads []int
		for _, g := range l.QueryGroups.Slice(c.QueryGroups) {
			for _, h := range some(c.HeadsPerGroup(), 1).Slice(c.HeadsPerGroup()) {
				heads = append(heads, g*c.HeadsPerGroup()+h)
			}
		}
		l.Heads, l.HeadSize = slm.IndicesOf(heads...), slm.IndicesOf(r.Perm(c.HeadSize)[:4+4*r.IntN(2)]...)
		if rotary == slm.Kept {
			l.HeadSize = c.RotaryPairs(4 + 2*r.IntN(2))
		}
		return l
	}
	s, same := slm.Subnet{Embd: some(c.Embd, 9), Rotary: rotary}, layer()
	for _, i := range some(c.Layers, 1).Slice(c.Layers) {
		l := same
		if !uniform {
			l = layer()
		}
		l.Layer = i
		s.Layers = append(s.Layers, l)
	}
	return s
}

// A search compiles a program for each padded shape, not for each candidate.
func TestCandidatesShareFewPrograms(t *testing.T) {
	config := tiny(true)
	_, teacher := newTiny(t, config)
	windows := someTokens(4*17, config.Vocab)
	space := slm.CoarseLayerWise
	space.Embd = slm.Dim{Min: 20, Max: 24, Step: 1} // one padded width
	search := slm.Search{Space: space, Bin: slm.Bin{Lower: 1, Upper: 1 << 30}, Population: 40}.WithDefaults()
	candidates, err := search.Next(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range candidates {
		if _, err := teacher.Loss(context.Background(), c.Subnet, windows, 16); err != nil {
			t.Fatal(err)
		}
	}
	// At most an attention for each padded number of heads, a feed-forward network for each of neurons; the embedding, the
	// logits of targets and of a piece of the vocabulary for the padded width.
	if got, most := teacher.Compiled(), headParts+ffnParts+3; got > most {
		t.Errorf("%d candidates compiled %d programs, want at most %d", len(candidates), got, most)
	}
	before := teacher.Compiled()
	for _, c := range candidates[:10] {
		if _, err := teacher.Loss(context.Background(), c.Subnet, windows, 16); err != nil {
			t.Fatal(err)
		}
	}
	if after := teacher.Compiled(); after != before {
		t.Errorf("evaluating again compiled %d programs more", after-before)
	}
}

// The last batch is filled up; that must not change the mean.
func TestLossDoesNotDependOnBatches(t *testing.T) {
	config := tiny(true)
	_, teacher := newTiny(t, config)
	const seqLen, count = 60, 40 // 17 windows fit into a batch of maxBatchTokens
	windows := someTokens(count*(seqLen+1), config.Vocab)
	whole, err := teacher.Loss(context.Background(), slm.Subnet{}, windows, seqLen)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i := range count {
		one, err := teacher.Loss(context.Background(), slm.Subnet{}, windows[i*(seqLen+1):(i+1)*(seqLen+1)], seqLen)
		if err != nil {
			t.Fatal(err)
		}
		sum += one
	}
	if math.Abs(whole-sum/count) > 1e-5*whole {
		t.Errorf("loss of all windows %g, mean of the windows' losses %g", whole, sum/count)
	}
}

func TestLossRefusesAndStops(t *testing.T) {
	config := tiny(true)
	_, teacher := newTiny(t, config)
	if _, err := teacher.Loss(context.Background(), slm.Subnet{}, make([]int32, 18), 16); err == nil {
		t.Error("18 tokens were taken for windows of 17")
	}
	if _, err := teacher.Loss(context.Background(), slm.Subnet{Embd: slm.First(99)}, make([]int32, 17), 16); err == nil {
		t.Error("99 of 36 embedding dimensions were kept")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := teacher.Loss(ctx, slm.Subnet{}, make([]int32, 17), 16); err == nil {
		t.Error("a cancelled evaluation returned a loss")
	}
}

// Teacher and student continue a prompt with the same tokens when they are the same model, and with the likeliest, which
// the logits without a cache tell. The text outgrows the context on the way.
func TestGenerateIsGreedy(t *testing.T) {
	for _, config := range tinies() {
		backend, teacher := newTiny(t, config)
		prompt := someTokens(5, config.Vocab)
		const n = 9
		got, err := teacher.Generate(context.Background(), prompt, slm.Generation{Tokens: n})
		if err != nil {
			t.Fatal(err)
		}
		text := append([]int32{}, prompt...)
		for i, token := range got {
			logits := inPlace(t, teacher, slm.Subnet{}, tensors.FromFlatDataAndDimensions(text, 1, len(text)))
			last := logits[len(logits)-config.Vocab:]
			for other := range last {
				if last[other] > last[token]+1e-4 {
					t.Fatalf("%s: token %d is %d with logit %g; %d has %g", config.Name, i, token, last[token], other, last[other])
				}
			}
			text = append(text, token)
		}
		weights, err := teacher.Extract(slm.Subnet{})
		if err != nil {
			t.Fatal(err)
		}
		student, err := NewStudent(backend, config, slm.Subnet{}, weights)
		if err != nil {
			t.Fatal(err)
		}
		defer student.Close()
		same, err := student.Generate(context.Background(), prompt, slm.Generation{Tokens: n})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, same) || len(got) != n {
			t.Errorf("%s: the teacher continues with %v, its full copy with %v", config.Name, got, same)
		}
	}
}

// A sub-network in place continues a prompt as the student that it becomes.
func TestGenerateSubnet(t *testing.T) {
	for _, config := range tinies()[:2] {
		backend, teacher := newTiny(t, config)
		prompt, g := someTokens(5, config.Vocab), slm.Generation{Tokens: 9}
		for _, subnet := range []slm.Subnet{{Layers: []slm.LayerSubnet{{Layer: 1}, {Layer: 3}}}, fine(config, false, slm.Kept, 3)} {
			got, err := teacher.GenerateSubnet(t.Context(), subnet, prompt, g)
			if err != nil {
				t.Fatal(err)
			}
			weights, err := teacher.Extract(subnet)
			if err != nil {
				t.Fatal(err)
			}
			student, err := NewStudent(backend, config, subnet, weights)
			if err != nil {
				t.Fatal(err)
			}
			want, err := student.Generate(t.Context(), prompt, g)
			student.Close()
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v in place, its student %v (%v)", config.Name, got, want, err)
			}
		}
	}
}

// A text longer than the context goes on from its last half, and a stop token ends it.
func TestGenerateForgetsAndStops(t *testing.T) {
	config := tiny(true)
	config.Context = 16
	_, teacher := newTiny(t, config)
	ctx, prompt := context.Background(), someTokens(14, config.Vocab)
	all, err := teacher.Generate(ctx, prompt, slm.Generation{Tokens: 5})
	if err != nil || len(all) != 5 {
		t.Fatalf("%v, %v", all, err)
	}
	// The third new token is chosen from the last 8 tokens: 16 were read by then, and there is no room for one more.
	text := append(slices.Clone(prompt), all[:3]...)
	again, err := teacher.Generate(ctx, text[len(text)-8:], slm.Generation{Tokens: 2})
	if err != nil || !slices.Equal(again, all[3:]) {
		t.Errorf("after the context was full came %v, its last half continues with %v (%v)", all[3:], again, err)
	}
	stopped, err := teacher.Generate(ctx, prompt, slm.Generation{Tokens: 5, Stop: all[2:3]})
	if err != nil || !slices.Equal(stopped, all[:slices.Index(all, all[2])]) {
		t.Errorf("stopping at %d of %v gave %v (%v)", all[2], all, stopped, err)
	}
	if _, err := teacher.Generate(ctx, nil, slm.Generation{Tokens: 1}); err == nil {
		t.Error("an empty prompt was continued")
	}
	drawn, err := teacher.Generate(ctx, prompt, slm.Generation{Tokens: 5, Temperature: 5, Seed: 3})
	if err != nil || slices.Equal(drawn, all) {
		t.Errorf("a hot text %v is the greedy one (%v)", drawn, err)
	}
}

func TestMissingAndMisshapenTensorsAreNamed(t *testing.T) {
	backend, err := NewBackend()
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Finalize()
	config := tiny(true)
	weights := RandomWeights(config, slm.Subnet{}, 1)
	const norm = "model.norm.weight"
	gone := weights[norm]
	delete(weights, norm)
	if _, err := Load(context.Background(), backend, config, weights, nil); err == nil {
		t.Error("a teacher without its norm was loaded")
	}
	gone.Data, gone.Shape = gone.Data[:3], []int{3}
	weights[norm] = gone
	if _, err := Load(context.Background(), backend, config, weights, nil); err == nil {
		t.Error("a teacher with a short norm was loaded")
	}
}

func TestRandomWeightsFollowTheirSeed(t *testing.T) {
	config := tiny(false)
	a, b, c := RandomWeights(config, slm.Subnet{}, 1), RandomWeights(config, slm.Subnet{}, 1), RandomWeights(config, slm.Subnet{}, 2)
	if d, _ := farthest(a["model.embed_tokens.weight"].Data, b["model.embed_tokens.weight"].Data); d != 0 {
		t.Error("one seed gave two sets of weights")
	}
	if d, _ := farthest(a["model.embed_tokens.weight"].Data, c["model.embed_tokens.weight"].Data); d == 0 {
		t.Error("two seeds gave the same weights")
	}
}
