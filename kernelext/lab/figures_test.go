package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// figureValues are what the notebook of the browser test draws: the records of [madeUpLab].
const figureValues = "testdata/figures.json"

var update = flag.Bool("update", false, "write "+figureValues)

// madeUpLab is a lab with a small study, and with searches beside it. Its losses are made up and look like real ones.
type madeUpLab struct {
	searches []slm.Population
	runs     []slm.Curve
	gone     error // why the teacher cannot be asked
}

// madeUpTeacher is small, and has query groups.
var madeUpTeacher = slm.Config{Name: "made-up", Family: slm.Llama, Layers: 6, Embd: 64, Heads: 8, QueryGroups: 4, HeadSize: 8, FFN: 128,
	Vocab: 256, Context: 512, NormEps: 1e-5, RopeTheta: 1e4}

// short keeps few digits: the values are a file.
func short(v float64) float64 { return math.Round(v*1e4) / 1e4 }

func newMadeUpLab(t *testing.T) *madeUpLab {
	t.Helper()
	study := slm.EfficiencyOf(madeUpTeacher, slm.Bin{}, true)
	l := &madeUpLab{}
	done := slm.EfficiencyRecords{Searches: map[string]slm.Population{}, Runs: map[string]slm.Curve{}}
	for task, more := study.Next(done); more; task, more = study.Next(done) {
		if task.Search != nil {
			done.Searches[task.Name] = l.search(t, task.Name, *task.Search)
		} else {
			done.Runs[task.Name] = l.train(task.Name, *task.Run, task.Steps)
		}
	}
	_, search := study.SearchOf(1)
	search.Reorder = ""
	for _, space := range []slm.Space{slm.CoarseUniform, slm.CoarseLayerWise} {
		for _, seed := range []uint64{2, 3} {
			search.Space, search.Seed = space, seed
			search.Warm = slm.Warm{Steps: 10, Batch: 1, SeqLen: 32, Loss: slm.CE(1)}.WithDefaults()
			l.search(t, fmt.Sprintf("%s-%d", space.Name(), seed), search)
		}
	}
	return l
}

// search evaluates candidates, the larger the better, and later generations better than earlier ones.
func (l *madeUpLab) search(t *testing.T, name string, search slm.Search) slm.Population {
	t.Helper()
	p := slm.Population{Name: name, Teacher: madeUpTeacher, Search: search}
	r := rand.New(rand.NewPCG(search.Seed, uint64(len(l.searches))))
	for {
		next, err := search.Next(madeUpTeacher, p.Candidates)
		if err != nil {
			t.Fatal(err)
		}
		if len(next) == 0 {
			break
		}
		for _, c := range next {
			c.Loss = short(6 - 0.2*float64(len(c.Subnet.Layers)) - 0.3*float64(c.Generation) + 0.8*r.Float64())
			c.Seconds, c.Latency = short(0.3+0.2*r.Float64()), short(0.01+1e-8*float64(c.FLOPs))
			if !search.Warm.IsZero() {
				c.Untrained = short(c.Loss + 1 + 0.5*r.Float64())
			}
			p.Candidates = append(p.Candidates, c)
		}
	}
	l.searches = append(l.searches, p)
	return p
}

// train falls from a start to an end: lower where the run begins with the teacher's weights, and lower still where it learns from it.
func (l *madeUpLab) train(name string, d slm.Distillation, steps int) slm.Curve {
	from, to := 5.5, 4.2
	if d.Init == slm.FromTeacher {
		from, to = 7, 3.9
	}
	if d.Loss.NeedsTeacher() {
		to = 3.5
	}
	c := slm.Curve{Name: name, Teacher: madeUpTeacher, Distillation: d, Parameters: d.Subnet.Parameters(madeUpTeacher).Total()}
	r := rand.New(rand.NewPCG(uint64(steps), uint64(len(l.runs))))
	for step := range steps + 1 {
		loss := to + (from-to)*math.Exp(-5*float64(step)/30)
		p := slm.Point{Step: step, Tokens: int64(step * d.StepTokens())}
		if step > 0 {
			p.CE, p.Rate, p.GradNorm, p.Seconds = short(loss+0.1*r.NormFloat64()), short(d.Schedule.Rate(step)*10)/10, short(1+r.Float64()), short(0.1+0.02*r.Float64())
			p.Loss = p.CE
		}
		if step%d.EvalEvery == 0 || step == steps {
			p.Validation = short(loss)
		}
		c.Points = append(c.Points, p)
	}
	l.runs = append(l.runs, c)
	return c
}

func (l *madeUpLab) contents() kernelext.Contents {
	c := kernelext.Contents{Lab: "made-up"}
	for _, p := range l.searches {
		c.Searches = append(c.Searches, kernelext.SearchEntry{Name: p.Name})
	}
	for i, r := range l.runs {
		accuracy := func(task, metric string, value float64) kernelext.TaskScore {
			return kernelext.TaskScore{Task: task, Metric: metric, Value: short(value + 0.01*float64(i)), StdErr: new(0.02)}
		}
		c.Runs = append(c.Runs, kernelext.RunEntry{Name: r.Name, Scores: []kernelext.TaskScore{accuracy("arc_easy", "acc", 0.3), accuracy("arc_easy", "acc_norm", 0.32),
			accuracy("sciq", "acc", 0.4), {Task: "wikitext", Metric: "word_perplexity", Value: 90}}})
	}
	return c
}

func (l *madeUpLab) Population(_ context.Context, name string) (slm.Population, error) {
	return l.searches[slices.IndexFunc(l.searches, func(p slm.Population) bool { return p.Name == name })], nil
}

func (l *madeUpLab) Curve(_ context.Context, name string) (slm.Curve, error) {
	return l.runs[slices.IndexFunc(l.runs, func(c slm.Curve) bool { return c.Name == name })], nil
}

// Importance gives the first layer and the last, and within a layer the first units, the highest scores.
func (l *madeUpLab) Importance(context.Context, string, slm.Aggregate, int, func(kernelext.Event)) (slm.Importance, error) {
	t := madeUpTeacher
	scores := func(n int, scale float64) (out []float64) {
		for i := range n {
			out = append(out, short(scale/float64(i+1)))
		}
		return out
	}
	importance := slm.Importance{Method: "activations, norm", Embd: scores(t.Embd, 1)}
	for layer := range t.Layers {
		scale := 1 + math.Abs(float64(layer)-2.5)
		importance.Layers = append(importance.Layers, scale)
		importance.Heads = append(importance.Heads, scores(t.Heads, scale))
		importance.QueryGroups = append(importance.QueryGroups, scores(t.QueryGroups, scale))
		importance.FFN = append(importance.FFN, scores(t.FFN, scale))
	}
	return importance, l.gone
}

// madeUpText is what is read.
var madeUpText = []string{"func", " ReadAll", "(", "r", " Reader", ")", " (", "[]", "byte", ",", " error", ")"}

func predictedBy(model string, steps int, worse float64) slm.Predicted {
	p := slm.Predicted{Model: model, Steps: steps}
	expected := func(id int, token string, probability float64) []slm.Likely {
		return []slm.Likely{{ID: int32(id), Text: token, Probability: short(probability)}, {ID: 100, Text: " {", Probability: short((1 - probability) / 2)}}
	}
	for i, token := range madeUpText {
		loss := short(0.5 + worse*math.Abs(math.Sin(float64(i))))
		p.Tokens = append(p.Tokens, slm.PredictedToken{ID: int32(i), Text: token, Loss: loss, Expected: expected(i, token, math.Exp(-loss))})
	}
	p.Next = expected(101, "\n", 0.5/worse)
	return p
}

func (l *madeUpLab) Predict(context.Context, string, kernelext.Reading, func(kernelext.Event)) (slm.Predicted, error) {
	return predictedBy(madeUpTeacher.Name, 0, 1), l.gone
}

func (l *madeUpLab) PredictRun(_ context.Context, run string, _ kernelext.Reading, _ func(kernelext.Event)) (slm.Predicted, error) {
	return predictedBy(run, 16, 2), l.gone
}

// attentionOf looks back, the higher a head's number the less far.
func attentionOf(model string, r kernelext.Reading) slm.Attention {
	a := slm.Attention{Model: model, Tokens: madeUpText}
	for layer := range r.Layers.All(madeUpTeacher.Layers) {
		for head := range 3 {
			m := slm.AttentionMap{Layer: layer, Head: head}
			for row := range madeUpText {
				weights, sum := make([]float32, row+1), float32(0)
				for at := range weights {
					weights[at] = float32(math.Exp(-float64(head) * float64(row-at)))
					sum += weights[at]
				}
				for at := range weights {
					weights[at] = float32(short(float64(weights[at] / sum)))
				}
				m.Weights = append(m.Weights, weights)
			}
			a.Maps = append(a.Maps, m)
		}
	}
	return a
}

func (l *madeUpLab) Attention(_ context.Context, teacher string, r kernelext.Reading, _ func(kernelext.Event)) (slm.Attention, error) {
	return attentionOf(teacher, r), l.gone
}

func (l *madeUpLab) AttentionRun(_ context.Context, run string, r kernelext.Reading, _ func(kernelext.Event)) (slm.Attention, error) {
	return attentionOf(run, r), l.gone
}

func recordsOf(t *testing.T, l *madeUpLab, search string, runs ...string) (*records, error) {
	t.Helper()
	line := startProgress(io.Discard, "")
	defer line.End("")
	return readRecords(t.Context(), l, l.contents(), search, runs, line)
}

// A lab with all that can be recorded lacks nothing, and each of its figures can be drawn. Its values are those of the notebook that
// the browser test opens.
func TestFiguresOfALab(t *testing.T) {
	r, err := recordsOf(t, newMadeUpLab(t), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.drawings() {
		if d.lacks != "" {
			t.Errorf("%s is left out: %s", d.name, d.lacks)
			continue
		}
		svg, err := d.draw().SVG()
		if err != nil && strings.Contains(err.Error(), "kernelext/lab setup") {
			continue // ECharts is not there
		}
		if err != nil || strings.Contains(svg, "NaN") {
			t.Errorf("%s: %v", d.name, err)
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	if *update {
		if err := os.WriteFile(figureValues, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if held, err := os.ReadFile(figureValues); err != nil || !bytes.Equal(held, text) {
		t.Errorf("%s holds other values (%v); write it with: go test ./kernelext/lab -run TestFiguresOfALab -update", figureValues, err)
	}
}

// What the lab lacks is said, figure by figure.
func TestFiguresSayWhatALabLacks(t *testing.T) {
	whole := newMadeUpLab(t)
	for name, test := range map[string]struct {
		lab  *madeUpLab
		want map[string]string // some of the figures
	}{
		"empty": {&madeUpLab{}, map[string]string{"population": "no search", "progress": "no finished search", "dynamics": "no run", "text": "no teacher", "importance": "no teacher",
			"architectures": "neither"}},
		"only a search": {&madeUpLab{searches: whole.searches[:1]}, map[string]string{"population": "", "prediction": "no run trains", "spaces": "several spaces",
			"correlation": "trains its candidates", "curves-by-steps": "no run", "savings": "bench distill", "scores": "no student", "attention": "", "attention-of-both": "no run"}},
		"only runs": {&madeUpLab{runs: whole.runs}, map[string]string{"mask": "no search", "saved-tokens": "", "architectures": "", "importance": "", "text-difference": ""}},
		"no teacher": {&madeUpLab{whole.searches, whole.runs, errors.New("made-up is not installed")}, map[string]string{"importance": "not installed", "layer-importance": "not installed",
			"text": "not installed", "next-tokens": "not installed", "attention": "not installed", "savings": ""}},
	} {
		r, err := recordsOf(t, test.lab, "")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, d := range r.drawings() {
			want, asked := test.want[d.name]
			if asked && (want == "") != (d.lacks == "") || !strings.Contains(d.lacks, want) {
				t.Errorf("%s: %s lacks %q, want %q", name, d.name, d.lacks, want)
			}
			if d.lacks == "" {
				d.draw()
			}
		}
	}
}

func TestFiguresChoose(t *testing.T) {
	l := newMadeUpLab(t)
	r, err := recordsOf(t, l, "")
	if err != nil {
		t.Fatal(err)
	}
	var ways []string
	for _, c := range shortened(r.Runs) {
		ways = append(ways, c.Name)
	}
	if r.Search.Name != l.searches[0].Name || !slices.Equal(ways, []string{"random-60-0.002", "sub-network-30-0.002", "sub-network-distilled-16-0.002"}) {
		t.Errorf("search %s, runs %v", r.Search.Name, ways)
	}
	if len(r.Searches) != 3 || len(r.Searches[1].Searches) != 2 || r.Searches[2].Variant == r.Searches[0].Variant {
		t.Errorf("%d kinds of searches", len(r.Searches))
	}
	r, err = recordsOf(t, l, l.searches[2].Name, l.runs[1].Name, l.runs[0].Name)
	if err != nil || r.Search.Name != l.searches[2].Name || r.Runs[0].Name != l.runs[1].Name || len(r.Runs) != 2 {
		t.Errorf("named: %v, %v", r, err)
	}
	if _, err := recordsOf(t, l, "x"); err == nil || !strings.Contains(err.Error(), `no search "x"; there are: `+l.searches[0].Name) {
		t.Errorf("a search that is not there: %v", err)
	}
	if _, err := recordsOf(t, l, "", "x"); err == nil || !strings.Contains(err.Error(), `no run "x"; there are: `+l.runs[0].Name) {
		t.Errorf("a run that is not there: %v", err)
	}
}

// No figure of package plots is forgotten.
func TestFiguresAreAll(t *testing.T) {
	code, err := os.ReadFile("figuredrawings.go")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../plots/*.go")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{"New": "any chart", "Curves": "CurvesBy", "AncestryOf": "Ancestry"}
	found := 0
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, node := range file.Decls {
			f, ok := node.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
				continue
			}
			if result, ok := f.Type.Results.List[0].Type.(*ast.Ident); !ok || result.Name != "Figure" || known[f.Name.Name] != "" {
				continue
			}
			found++
			if !bytes.Contains(code, []byte("plots."+f.Name.Name+"(")) {
				t.Errorf("lab figures does not draw plots.%s", f.Name.Name)
			}
		}
	}
	if found < 20 {
		t.Errorf("%d figures found", found)
	}
}

func TestFiguresAreWritten(t *testing.T) {
	l := readyLab(t)
	var told strings.Builder
	l.stdout = &told
	out := filepath.Join(t.TempDir(), "new", "folder")
	r := &records{Lab: "made-up", Predicted: []slm.Predicted{predictedBy("made-up", 0, 1)}, Measured: map[string]string{predictedRecord: "no student", importanceRecord: "gone", attentionRecord: "gone"}}
	if err := r.write(t.Context(), l, out); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"text-600.png": 600, "text-600-dark.png": 600, "next-tokens-full.png": 2160, "next-tokens-full-dark.png": 2160} {
		text, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if picture, err := png.DecodeConfig(bytes.NewReader(text)); err != nil || picture.Width != want {
			t.Errorf("%s is %d pixels wide (%v), want %d", name, picture.Width, err, want)
		}
	}
	page, err := os.ReadFile(filepath.Join(out, "index.html"))
	if err != nil || bytes.Count(page, []byte(`class="offshoot-figure"`)) != 2 || !strings.Contains(told.String(), "left out: text-difference\n    no student\n") {
		t.Errorf("the page has %d bytes (%v); told:\n%s", len(page), err, &told)
	}
	if err := (&records{Lab: "made-up", Measured: r.Measured}).write(t.Context(), l, out); err == nil || !strings.Contains(err.Error(), "no data for any figure") {
		t.Errorf("nothing to draw: %v", err)
	}
}

// The last lab written to comes first, also where only SQLite's log is new.
func TestLabsByAge(t *testing.T) {
	l, _ := emptyLab(t)
	for i, name := range []string{"b/lab.db", "a/lab.db", "c/lab.db", "b/lab.db-wal", "d/other"} {
		path := l.path("labs", name)
		if err := writeFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(1e9, 0).Add(time.Duration(i) * time.Hour)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := l.labsByAge(); err != nil || !slices.Equal(got, []string{"b", "c", "a"}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, _, err := l.recordedLab(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), `no lab "x"`) || !strings.Contains(err.Error(), "b, c, a") {
		t.Errorf("a lab that is not there: %v", err)
	}
}
