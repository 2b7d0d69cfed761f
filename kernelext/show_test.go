package kernelext

import (
	"encoding/xml"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

func TestCardsEscapeTextAndKeepItPlainBesides(t *testing.T) {
	s := Status{Backend: `<script>alert(1)</script>`, Devices: []Device{{Name: `a "b" & c`}}, Home: "/somewhere/private/.offshoot", TeacherFiles: []string{"a", "b"},
		Teachers: []Held{{Name: "b", Bytes: 3 << 20}}, Started: time.Now()}
	c := Contents{Lab: "l", Folder: "/somewhere/private/.offshoot/labs/l", Runs: []RunEntry{{Name: "r", Steps: 5, Parameters: 3e7, Validation: 2.5}}}
	card := labCard(s, c)
	for _, bad := range []string{"<script>", "/somewhere"} {
		if strings.Contains(card.html, bad) {
			t.Errorf("the card holds %q:\n%s", bad, card.html)
		}
	}
	for _, want := range []string{"<script>alert(1)</script>", `a "b" & c`, "a (not loaded yet)", "b (loaded, 3 MiB)", "r: 30M parameters, step 5, validation 2.500", ".offshoot/labs/l"} {
		if !strings.Contains(card.text, want) {
			t.Errorf("the text lacks %q:\n%s", want, card.text)
		}
	}
	wellFormed(t, strings.ReplaceAll(card.html, "<br>", "<br/>"))
}

func TestTeacherCard(t *testing.T) {
	config, err := slm.Published("smollm2-135m")
	if err != nil {
		t.Fatal(err)
	}
	card := teacherCard(TeacherInfo{Config: config, Perplexity: 18.7514, Loss: 2.9313, Tokens: 2048, Window: 128, Corpus: "a corpus", Seconds: 1.7})
	for _, want := range []string{"134,515,008", "18.75 (loss 2.9313) on 2,048 tokens of a corpus, in windows of 128", "59.2%", "tied"} {
		if !strings.Contains(card.text, want) || !strings.Contains(card.html, want) {
			t.Errorf("the card lacks %q:\n%s", want, card.text)
		}
	}
	wellFormed(t, card.html)
}

func TestExportCard(t *testing.T) {
	e := Exported{Dir: "students/a", Class: "LlamaForCausalLM", Layers: "padded", DType: "bfloat16", Parameters: 3e7, Padding: 1e6, Bytes: 62e6,
		GGUF: "model-bf16.gguf", Tokenizer: true, Steps: 1500}
	card := exportCard(e)
	for _, want := range []string{"30M parameters in bfloat16, 59.1 MiB, after 1,500 steps", "LlamaForCausalLM: layers padded to equal sizes, 1M parameters more",
		`AutoModelForCausalLM.from_pretrained("students/a")`, `AutoTokenizer.from_pretrained("students/a")`, "llama-completion -m students/a/model-bf16.gguf"} {
		if !strings.Contains(card.text, want) {
			t.Errorf("the card lacks %q:\n%s", want, card.text)
		}
	}
	wellFormed(t, strings.ReplaceAll(card.html, "<br>", "<br/>"))
	e.Layers, e.Padding, e.GGUF = "code", 0, ""
	if text := exportCard(e).text; !strings.Contains(text, `"students/a", trust_remote_code=True)`) || strings.Contains(text, "llama.cpp") {
		t.Errorf("the card of a student with code:\n%s", text)
	}
}

func TestEvaluatedCard(t *testing.T) {
	asked := slm.Evaluation{Data: slm.Data{Name: "roneneldan/TinyStories"}}.WithDefaults()
	card := evaluatedCard(slm.Evaluated{Model: "from-30M", Steps: 1500, Parameters: 3e7, Evaluation: &asked, Documents: 71, Tokens: 16384,
		Loss: 2.5, Perplexity: math.Exp(2.5), BytesPerToken: 4.25, BitsPerByte: slm.BitsPerByte(2.5, 4.25)})
	for _, want := range []string{"Perplexity of from-30M", "30M parameters, after 1,500 steps", "roneneldan/TinyStories, documents held out from training",
		"16,384 in windows of 128, of 4.25 bytes a token; documents: 71", "12.18 (loss 2.5000 nats per token)", "0.8486"} {
		if !strings.Contains(card.text, want) || !strings.Contains(card.html, want) {
			t.Errorf("the card lacks %q:\n%s", want, card.text)
		}
	}
	wellFormed(t, card.html)
}

func TestScoresCard(t *testing.T) {
	deviation := 0.0044
	card := scoresCard(TaskScores{Model: "from-30M", Steps: 1500, Version: "0.4.13", Scores: []TaskScore{
		{Task: "hellaswag", Metric: "acc_norm", Value: 0.2711, StdErr: &deviation, Documents: 10042}, {Task: "<task>", Metric: "exact", Filter: "strict", Documents: 5}}})
	for _, want := range []string{"hellaswag acc_norm", "0.2711  ± 0.0044, 10,042 documents", "<task> exact (strict)", "0.0000  5 documents", "after 1,500 steps; lm-eval 0.4.13"} {
		if !strings.Contains(card.text, want) {
			t.Errorf("the card lacks %q:\n%s", want, card.text)
		}
	}
	if !strings.Contains(card.html, "&lt;task&gt;") {
		t.Errorf("not escaped: %s", card.html)
	}
	wellFormed(t, card.html)
}

func wellFormed(t *testing.T, page string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(page))
	for {
		if _, err := decoder.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Errorf("%v in\n%s", err, page)
			return
		}
	}
}

func TestSparkline(t *testing.T) {
	points := []slm.Point{{Step: 0, Validation: 13}}
	if got := sparkline(points); got != "" {
		t.Errorf("one point drew %s", got)
	}
	for step := 1; step <= 1000; step++ {
		p := slm.Point{Step: step, Loss: 9 / float64(step)}
		if step%10 == 0 {
			p.Validation = 2
		}
		points = append(points, p)
	}
	picture := sparkline(points)
	wellFormed(t, picture)
	if strings.Contains(picture, "NaN") || len(picture) > 10_000 {
		t.Errorf("%d bytes:\n%.300s", len(picture), picture)
	}
	wellFormed(t, sparkline([]slm.Point{{Step: 1, Loss: 2}, {Step: 2, Loss: 2}})) // a flat line
}

func TestNumbers(t *testing.T) {
	for got, want := range map[string]string{
		duration(0.04):              "0.0 s",
		duration(9.96):              "10 s",
		duration(59.6):              "1 min 0 s",
		duration(3725):              "1 h 2 min",
		slm.Thousands(0):            "0",
		slm.Thousands(999):          "999",
		slm.Thousands(134515008):    "134,515,008",
		bytesText(0):                "0 B",
		bytesText(513 << 20):        "513 MiB",
		bytesText(5 << 28):          "1.25 GiB",
		perplexityText(18.7514):     "18.75",
		perplexityText(111318):      "111,300",
		perplexityText(1e12):        "1e+12",
		perplexityText(math.Inf(1)): "+Inf",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestLines(t *testing.T) {
	d := newDisplay("search 30M")
	d.best = &slm.Candidate{Loss: 3, Parameters: 3e7}
	got := d.line(Event{Kind: Candidate, Done: 3, Total: 20, Unit: "evaluations", Rate: 2.53, Left: 6.7})
	if want := "search 30M: 3 of 20 evaluations · 2.5 evaluations/s · best perplexity 20.09 (30M parameters) · 6.7 s left"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	d = newDisplay("run r")
	d.points = []slm.Point{{Step: 5, Loss: 4, Validation: 3.5}}
	got = d.line(Event{Kind: Point, Point: &slm.Point{Step: 6, Loss: 3.25}, Done: 1, Total: 2, Unit: "steps", Rate: 510.4, Left: 1, FLOPs: 2.14e13, MFU: 0.384})
	if want := "run r: step 6 · loss 3.250 · validation 3.500 · 510 tokens/s · 2.1e+13 FLOPs · MFU 38% · 1.0 s left"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestRunShowsItsWatchers(t *testing.T) {
	points := make([]slm.Point, 2, 8)
	points[1].Step = 1
	var seen []int
	var lasts []bool
	r := (&Run{Curve: slm.Curve{Name: "r"}}).Watch(func(c slm.Curve, last bool) {
		seen, lasts = append(seen, c.Steps()), append(lasts, last)
		c.Points = append(c.Points, slm.Point{Step: 99}) // a watcher's own
	})
	r.show(points, false)
	points = append(points, slm.Point{Step: 2})
	r.show(points, true)
	if !slices.Equal(seen, []int{1, 2}) || !slices.Equal(lasts, []bool{false, true}) || points[2].Step != 2 || len(r.Points) != 0 {
		t.Errorf("seen steps %v, last %v, points %v", seen, lasts, points)
	}
}
