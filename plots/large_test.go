//go:build unix

package plots

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// Figures of as much as a lab may hold must be drawn in 2 s, stay fluid, and not weigh a notebook down. To see what each takes:
//
//	go test -run '^$' -bench Large -benchtime 3x ./plots
//
// `go run ./kernelext/lab bench figures` also opens them in a browser.

const (
	mostDrawing = 2 * time.Second // of processor time, without that of loading ECharts
	mostBytes   = 300_000         // of the static picture and of the interactive one together
)

// most is as much as there may be of each: 10,000 candidates; 50 generations of sub-networks of a model of 96 layers by 128 heads, cut as raggedly
// as can be; 8 runs of 100,000 steps; 1,024 tokens.
type most struct {
	search   slm.Population   // of a small teacher: 10,000 candidates in 100 generations
	warm     []slm.Population // two searches, of candidates with losses before and after training
	trained  []slm.Curve      // runs, one of each candidate
	repeated slm.Repeated     // four seeds of the search
	deep     slm.Population   // of the largest teacher
	scores   slm.Importance   // of its units
	runs     []slm.Curve
	seeds    []slm.Curve // runs of one name
	texts    []slm.Predicted
	looks    []slm.Attention
}

// large are the figures.
var large = []struct {
	name string
	draw func(e *most) Figure
}{
	{"Population", func(e *most) Figure { return Population(e.search) }},
	{"PopulationBy", func(e *most) Figure { return PopulationBy(e.search, slm.MinimizeFLOPs) }},
	{"History", func(e *most) Figure { return History(e.search) }},
	{"HistoryByTime", func(e *most) Figure { return HistoryByTime(e.search) }},
	{"Ancestry", func(e *most) Figure { return Ancestry(e.search) }},
	{"ParallelCoordinates", func(e *most) Figure { return ParallelCoordinates(e.search) }},
	{"Parts", func(e *most) Figure { return Parts(e.search.Teacher, e.search.Candidates...) }},
	{"Diversity", func(e *most) Figure { return Diversity(e.search) }},
	{"Prediction", func(e *most) Figure { return Prediction(e.search, e.trained...) }},
	{"Progress", func(e *most) Figure { return Progress(e.repeated) }},
	{"Spaces", func(e *most) Figure { return Spaces(slm.Found{e.repeated}, e.repeated.Bin) }},
	{"Correlation", func(e *most) Figure { return Correlation(e.warm...) }},
	{"Mask", func(e *most) Figure { return Mask(e.deep.Teacher, e.deep.Candidates[0].Subnet) }},
	{"Overlap", func(e *most) Figure {
		return Overlap(e.deep.Teacher, e.deep.Candidates[0].Subnet, e.deep.Candidates[1].Subnet)
	}},
	{"Kept", func(e *most) Figure { return Kept(e.deep.Teacher, e.deep.Candidates) }},
	{"KeptByElites", func(e *most) Figure { return Kept(e.deep.Teacher, slm.Elites(e.deep.Candidates, 4)) }},
	{"MaskHistory", func(e *most) Figure { return MaskHistory(e.deep) }},
	{"Importance", func(e *most) Figure { return Importance(e.deep.Teacher, e.scores) }},
	{"LayerImportance", func(e *most) Figure { return LayerImportance(e.deep.Teacher, e.scores) }},
	{"Curves", func(e *most) Figure { return Curves(e.runs...) }},
	{"CurvesOfSeeds", func(e *most) Figure { return CurvesBy(Tokens, e.seeds...) }},
	{"Saved", func(e *most) Figure { return Saved(Tokens, e.runs...) }},
	{"Dynamics", func(e *most) Figure { return Dynamics(e.runs...) }},
	{"Savings", func(e *most) Figure {
		return Savings(slm.Seeded{Baseline: e.runs[0], Runs: map[string][]slm.Curve{"first-n": e.runs[1:4], "distilled": e.runs[4:]}})
	}},
	{"Text", func(e *most) Figure { return Text(e.texts[0], e.texts[1:]...) }},
	{"NextTokens", func(e *most) Figure { return NextTokens(1000, e.texts...) }},
	{"Attention", func(e *most) Figure { return Attention(e.looks[0], e.looks[1:]...) }},
}

// theMost are made once.
var theMost = sync.OnceValue(func() *most {
	r := rand.New(rand.NewPCG(8, 9))
	e := &most{search: largeSearch(r), deep: deepSearch(r), scores: largeScores(r)}
	e.warm = []slm.Population{e.search, e.search}
	e.warm[1].Search.Space, e.warm[1].Candidates = slm.FineLayerWise, slices.Clone(e.search.Candidates)
	for i := range e.warm {
		e.warm[i].Search.Warm = slm.Warm{Steps: 20}
	}
	for i := range e.warm[1].Candidates {
		e.warm[1].Candidates[i].Loss -= 1
	}
	e.repeated = slm.Repeated{Cell: slm.Cell{Bin: e.search.Search.Bin, Space: e.search.Search.Space.Name(), Variant: "evolution"},
		Searches: []slm.Population{e.search, e.search, e.search, e.search}}
	for i := range 8 {
		e.runs = append(e.runs, largeRun(r, fmt.Sprintf("from start %d", i), 100_000))
		e.seeds = append(e.seeds, largeRun(r, "seeds", 100_000))
	}
	for _, c := range e.search.Candidates {
		e.trained = append(e.trained, trainedRun(r, e.search.Teacher, c))
	}
	for _, model := range []string{"teacher", "student"} {
		e.texts, e.looks = append(e.texts, largeText(r, model)), append(e.looks, largeLooks(r, model))
	}
	return e
})

// largeSearch has candidates of the coarse layer-wise space.
func largeSearch(r *rand.Rand) slm.Population {
	const all, perGeneration = 10_000, 100
	teacher, _ := slm.Published("smollm2-135m")
	search := slm.Search{Space: slm.CoarseLayerWise, Bin: slm.Around(30e6, 0.05), Population: all}.WithDefaults()
	candidates, err := search.Next(teacher, nil)
	if err != nil {
		panic(err)
	}
	for i := range candidates {
		c := &candidates[i]
		if c.Generation = i / perGeneration; c.Generation > 0 {
			first := (c.Generation - 1) * perGeneration
			c.Origin, c.Parents = origins[2], []int{first + r.IntN(perGeneration), first + r.IntN(perGeneration)}
		}
		c.Untrained = 9 + 3*r.Float64()*math.Exp(-float64(i)/all) + 0.5*r.NormFloat64()
		c.Loss, c.Seconds, c.Evaluated = c.Untrained-2+0.2*r.NormFloat64(), r.Float64(), time.Unix(int64(i), 0)
	}
	search.Population, search.Offspring, search.Generations = perGeneration, perGeneration, all/perGeneration-1
	return slm.Population{Name: "large", Teacher: teacher, Search: search, Candidates: candidates}
}

// deepSearch has a candidate in each generation, which has nothing in common with the one before.
func deepSearch(r *rand.Rand) slm.Population {
	p := slm.Population{Name: "deep", Teacher: largest, Search: slm.Search{Space: slm.FineLayerWise}.WithDefaults()}
	var subnets []slm.Subnet
	for i := range 50 {
		if i < 8 {
			subnets = append(subnets, sampleSubnet(largest, uint64(i)))
		}
		subnet := subnets[i%8]
		p.Candidates = append(p.Candidates, slm.Candidate{ID: i, Generation: i, Subnet: subnet, Parameters: subnet.Parameters(largest).Total(),
			Loss: 9 - 0.1*float64(i) + r.Float64()})
	}
	return p
}

func largeScores(r *rand.Rand) slm.Importance {
	scores := func(n int) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = r.ExpFloat64()
		}
		return out
	}
	i := slm.Importance{Method: "activation", Layers: scores(largest.Layers), Embd: scores(largest.Embd)}
	for range largest.Layers {
		i.QueryGroups, i.Heads, i.FFN = append(i.QueryGroups, scores(largest.QueryGroups)), append(i.Heads, scores(largest.Heads)), append(i.FFN, scores(largest.FFN))
	}
	return i
}

// largeRun is validated at every tenth step, and falls to a loss of its own.
func largeRun(r *rand.Rand, name string, steps int) slm.Curve {
	c := slm.Curve{Name: name}
	end := 5 + 2*r.Float64()
	for step := range steps + 1 {
		loss := end + 5*math.Exp(-6*float64(step)/float64(steps))
		p := slm.Point{Step: step, Tokens: 4096 * int64(step), CE: loss + 0.15*r.NormFloat64(), Rate: 1e-3 * (1 - float64(step)/float64(steps)),
			GradNorm: 0.5 + r.ExpFloat64(), Seconds: 0.4 + 0.1*r.Float64()}
		p.Spent = slm.Spent{Teacher: 0.3 * p.Seconds, Student: 0.7 * p.Seconds}
		p.Loss = p.CE
		if step%10 == 0 {
			p.Validation = loss + 0.02*r.NormFloat64()
		}
		c.Points = append(c.Points, p)
	}
	return c
}

// trainedRun trained a candidate of the search.
func trainedRun(r *rand.Rand, teacher slm.Config, c slm.Candidate) slm.Curve {
	return slm.Curve{Name: fmt.Sprintf("run of #%d", c.ID), Teacher: teacher, Distillation: slm.Distillation{Subnet: c.Subnet},
		Points: []slm.Point{{Step: 100, Loss: 5, Validation: c.Loss - 1 + 0.3*r.NormFloat64()}}}
}

func largeText(r *rand.Rand, model string) slm.Predicted {
	likely := func() (out []slm.Likely) {
		for i := range 10 {
			out = append(out, slm.Likely{ID: int32(i), Text: fmt.Sprintf(" word%d", i), Probability: 0.09})
		}
		return out
	}
	p := slm.Predicted{Model: model, Next: likely()}
	for i := range 1024 {
		token := slm.PredictedToken{ID: int32(i), Text: " tok", Loss: r.ExpFloat64() * 3}
		if i > 0 {
			token.Expected = likely()
		}
		p.Tokens = append(p.Tokens, token)
	}
	return p
}

// largeLooks are as many maps as a lab makes.
func largeLooks(r *rand.Rand, model string) slm.Attention {
	a := slm.Attention{Model: model}
	var weights [][]float32
	for t := range 1024 {
		a.Tokens = append(a.Tokens, " tok")
		row, sum := make([]float32, t+1), float32(0)
		for s := range row {
			row[s] = float32(r.ExpFloat64())
			sum += row[s]
		}
		for s := range row {
			row[s] /= sum
		}
		weights = append(weights, row)
	}
	for i := range slm.MostMaps {
		a.Maps = append(a.Maps, slm.AttentionMap{Layer: i / 16, Head: i % 16, Weights: weights})
	}
	return a
}

func TestLargeFigures(t *testing.T) {
	needECharts(t)
	if testing.Short() {
		t.Skip("draws for half a minute")
	}
	warmUp(t)
	for _, figure := range large {
		t.Run(figure.name, func(t *testing.T) {
			e := theMost()
			began := processorTime()
			f := figure.draw(e)
			svg, option := drawn(t, f)
			if took := processorTime() - began; took > mostDrawing {
				t.Errorf("drawing took %v of processor time, want at most %v", took, mostDrawing)
			}
			if bytes := len(svg) + len(option); bytes > mostBytes {
				t.Errorf("the figure has %d kB, want at most %d", bytes/1000, mostBytes/1000)
			}
		})
	}
}

// BenchmarkLarge writes pages with the figures into [picturesFolder], if there is one.
func BenchmarkLarge(b *testing.B) {
	needECharts(b)
	for _, figure := range large {
		b.Run(figure.name, func(b *testing.B) {
			e := theMost()
			warmUp(b)
			b.ResetTimer()
			began := processorTime()
			var svg, option string
			for b.Loop() {
				svg, option = drawn(b, figure.draw(e))
			}
			b.ReportMetric(float64((processorTime()-began).Milliseconds())/float64(b.N), "cpu-ms/op")
			b.ReportMetric(float64(len(svg))/1000, "svg-kB")
			b.ReportMetric(float64(len(option))/1000, "option-kB")
			b.ReportMetric(0, "ns/op") // others may use the machine too
			if dir := picturesFolder(); dir != "" {
				if err := figure.draw(e).WriteFile(filepath.Join(dir, figure.name+".html")); err != nil {
					b.Error(err)
				}
			}
		})
	}
}

// warmUp loads ECharts.
func warmUp(t testing.TB) {
	if _, err := Mask(tiny, slm.Subnet{}).SVG(); err != nil {
		t.Fatal(err)
	}
}

// drawn is a figure in both forms.
func drawn(t testing.TB, f Figure) (svg, option string) {
	t.Helper()
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	if option, err = f.script(); err != nil {
		t.Fatal(err)
	}
	return svg, option
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // of oneself never fails
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
