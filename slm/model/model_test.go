package model

import (
	"context"
	"encoding/json"
	"math"
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
				w.Data[i] += 0.3 * float32(math.Sin(float64(i)))
			}
			continue
		}
		for i := range w.Data {
			w.Data[i] *= 12
		}
	}
	teacher, err := Load(backend, config, weights)
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
	v, err := teacher.view(subnet)
	if err != nil {
		t.Fatal(err)
	}
	defer v.close()
	x, err := v.hidden(context.Background(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	defer free(x)
	logits, err := teacher.programs.logits.Call1(x, v.norm, v.width, v.head)
	if err != nil {
		t.Fatal(err)
	}
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

// Evaluating inside the teacher and extracting a dense student are two ways to the same logits.
func TestInPlaceAndExtractedAgree(t *testing.T) {
	for _, tied := range []bool{true, false} {
		config := tiny(tied)
		backend, teacher := newTiny(t, config)
		tokens := tensors.FromFlatDataAndDimensions(someTokens(2*16, config.Vocab), 2, 16)
		for _, s := range someSubnets(t, config) {
			got, want := inPlace(t, teacher, s, tokens), dense(t, backend, teacher, s, tokens)
			if difference, largest := farthest(got, want); !(difference <= 1e-5*largest) || largest < 0.1 {
				t.Errorf("tied %t, %v: logits differ by %g of %g", tied, s, difference, largest)
			}
		}
	}
}

// someSubnets are the whole, a part with whole layers, index sets with holes and unequally many heads in the groups, and
// one drawn from each space. Compiling their students takes most of the test's time, so an untied teacher gets half.
func someSubnets(t *testing.T, config slm.Config) []slm.Subnet {
	t.Helper()
	texts := []string{
		`{"embd":"1-5,20-35","layers":[{"layer":0,"heads":"1,2-5","ffn":"0,7-40"},{"layer":2,"query_groups":"1","heads":"3"}]}`,
		`{"layers":[{"layer":1},{"layer":3,"ffn":"0-6"}]}`,
		`{"embd":"0-11","layers":[{"layer":1,"head_size":"0-1,4-5","query_groups":"0,2","heads":"0,4-5","ffn":"59"}]}`,
		`{}`,
	}
	spaces := []slm.Space{slm.CoarseUniform, slm.CoarseLayerWise}
	if !config.Tied {
		texts, spaces = texts[:1], spaces[1:]
	}
	subnets := make([]slm.Subnet, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal([]byte(text), &subnets[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i, space := range spaces {
		c, err := slm.Search{Space: space, Bin: slm.Bin{Lower: 1, Upper: 1 << 30}}.Sample(config, uint64(i+1))
		if err != nil {
			t.Fatal(err)
		}
		subnets = append(subnets, c.Subnet)
	}
	return subnets
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
	// At most a layer for each padded number of heads and neurons; narrowing, embedding and loss for the padded width.
	if got, most := teacher.Compiled(), headParts*ffnParts+3; got > most {
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

// Teacher and student continue a prompt with the same tokens when they are the same model, and with the likeliest.
func TestGenerateIsGreedy(t *testing.T) {
	config := tiny(true)
	backend, teacher := newTiny(t, config)
	prompt := someTokens(5, config.Vocab)
	got, err := teacher.Generate(context.Background(), prompt, 6)
	if err != nil {
		t.Fatal(err)
	}
	text := append([]int32{}, prompt...)
	for i, token := range got {
		logits := inPlace(t, teacher, slm.Subnet{}, tensors.FromFlatDataAndDimensions(text, 1, len(text)))
		last := logits[len(logits)-config.Vocab:]
		for other := range last {
			if last[other] > last[token]+1e-4 {
				t.Fatalf("token %d is %d with logit %g; %d has %g", i, token, last[token], other, last[other])
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
	same, err := student.Generate(context.Background(), prompt, 6)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if got[i] != same[i] {
			t.Errorf("the teacher continues with %v, its full copy with %v", got, same)
			break
		}
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
	gone := weights[normName]
	delete(weights, normName)
	if _, err := Load(backend, config, weights); err == nil {
		t.Error("a teacher without its norm was loaded")
	}
	gone.Data = gone.Data[:3]
	weights[normName] = gone
	if _, err := Load(backend, config, weights); err == nil {
		t.Error("a teacher with a short norm was loaded")
	}
}

func TestRandomWeightsFollowTheirSeed(t *testing.T) {
	config := tiny(false)
	a, b, c := RandomWeights(config, slm.Subnet{}, 1), RandomWeights(config, slm.Subnet{}, 1), RandomWeights(config, slm.Subnet{}, 2)
	if d, _ := farthest(a[embedName].Data, b[embedName].Data); d != 0 {
		t.Error("one seed gave two sets of weights")
	}
	if d, _ := farthest(a[embedName].Data, c[embedName].Data); d == 0 {
		t.Error("two seeds gave the same weights")
	}
}
