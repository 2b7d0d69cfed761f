package plots

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/dop251/goja"
	"github.com/offshoot-ml/offshoot/slm"
)

// predictedText are tokens with losses; the first is not predicted where its loss is 0.
func predictedText(model string, tokens []string, losses ...float64) slm.Predicted {
	p := slm.Predicted{Model: model, Next: []slm.Likely{{ID: 7, Text: " end", Probability: 0.6}, {ID: 8, Text: "<b>", Probability: 0.2}}}
	for i, text := range tokens {
		token := slm.PredictedToken{ID: int32(i), Text: text, Loss: losses[i%len(losses)]}
		if token.Loss > 0 {
			token.Expected = []slm.Likely{{ID: int32(i), Text: text, Probability: math.Exp(-token.Loss)}, {ID: 99, Text: " other", Probability: 0.05}}
		}
		p.Tokens = append(p.Tokens, token)
	}
	return p
}

func TestTextNumbers(t *testing.T) {
	tokens := []string{"One", " two", "\n\t", "three", strings.Repeat("x", 70), "yyyyyyyy"}
	a, b := predictedText("a", tokens, 0, 1, 2, 3, 4, 5), predictedText("b", tokens, 0, 3, 1, 3, 4, 5.4)
	n, err := textNumbers([]slm.Predicted{a, b})
	if err != nil {
		t.Fatal(err)
	}
	want := []textCell{
		{token: 0, row: 0, column: 0, width: 3, label: "One"},
		{token: 1, row: 0, column: 3, width: 4, label: " two", nats: 2, predicted: true},
		{token: 2, row: 0, column: 7, width: 1, label: "¶", nats: -1, predicted: true}, // the line ends inside the token
		{token: 2, row: 1, column: 0, width: 1, label: "→", nats: -1, predicted: true},
		{token: 3, row: 1, column: 1, width: 5, label: "three", predicted: true},
		{token: 4, row: 1, column: 6, width: 70, label: strings.Repeat("x", 70), predicted: true},
		{token: 5, row: 2, column: 0, width: 8, label: "yyyyyyyy", nats: 0.4, predicted: true}, // where there is room
	}
	for i := range n.cells {
		n.cells[i].nats = rounded(n.cells[i].nats, 6)
	}
	if !reflect.DeepEqual(n.cells, want) {
		t.Errorf("cells\n%+v, want\n%+v", n.cells, want)
	}
	if n.rows != 3 || n.shown != 6 || n.scale != 1 { // all but the largest of the differences 2, 1, 1 and 0.4
		t.Errorf("%d rows, %d tokens, scale %g", n.rows, n.shown, n.scale)
	}
	if got, want := n.caption(), "Orange: harder for b than a. Blue: easier. Mean loss 3.280, 3.000."; got != want {
		t.Errorf("caption %q, want %q", got, want)
	}
	story := told(t, n.reading(), 1)
	for _, want := range []string{"<b>·two</b> token 1", "a: <b>1.00</b> nats, p 37%", "b: <b>3.00</b> nats, p 5.0%", "·two 37%, ·other 5.0%"} {
		if !strings.Contains(story, want) {
			t.Errorf("the tooltip %q lacks %q", story, want)
		}
	}
	if first := told(t, n.reading(), 0); first != "<b>One</b> token 0<br>nothing precedes it" {
		t.Errorf("the first token tells %q", first)
	}
}

// told is what a tooltip says of a token.
func told(t *testing.T, tooltip string, token int) string {
	t.Helper()
	value, err := goja.New().RunString(fmt.Sprintf("(%s)({value: [0, 0, 0, 0, %d]})", tooltip, token))
	if err != nil {
		t.Fatal(err)
	}
	return value.String()
}

func TestTextRefuses(t *testing.T) {
	a, b := predictedText("a", []string{"x", "y"}, 0, 1), predictedText("b", []string{"x", "z"}, 0, 1)
	for _, f := range []Figure{Text(a, b), Text(a, a, a), NextTokens(0), NextTokens(2, a), NextTokens(-1, a), NextTokens(0, a, b)} {
		if _, err := f.SVG(); err == nil {
			t.Errorf("%s was drawn", f.Title)
		}
	}
}

func TestColumns(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "é": 1, "e\u0301": 1, "東京": 4, "🦊": 2, "→": 1} {
		if got := columns(text); got != want {
			t.Errorf("%q takes %d columns, want %d", text, got, want)
		}
	}
	if got := spaced(" a\tb\n\x01\u200b"); got != `·a→b¶\x01\u200b` {
		t.Errorf("shown as %q", got)
	}
}

func TestTextPictures(t *testing.T) {
	needECharts(t)
	long := make([]string, slm.MostPredicted)
	for i := range long {
		long[i] = fmt.Sprintf(" w%d", i%50)
	}
	lines := make([]string, 200)
	for i := range lines {
		lines[i] = "x\n"
	}
	hostile := []string{`</script><b>`, `"\`, "__f__", "", "\x00"}
	a := predictedText("teacher", long, 1, 2, 3, 4)
	for _, test := range []struct {
		name     string
		figure   Figure
		mostKB   int
		contains []string
	}{
		{"long", Text(a), 200, []string{"Loss by token, teacher", "perplexity", "w49", "nats or more"}},
		{"difference", Text(a, predictedText("<student>", long, 2, 2, 2)), 200, []string{"<student> against teacher", "−2 or less"}},
		{"many lines", Text(predictedText("m", lines, 1, 5)), 60, []string{"(first 48 of 200)"}},
		{"hostile", Text(predictedText("m", hostile, 1, 2)), 20, []string{`</script><b>`, `"\`, "__f__", `\x00`}},
		{"one token", Text(predictedText("m", []string{"x"}, 0)), 20, []string{"No token is predicted"}},
		{"nothing", Text(slm.Predicted{Model: "m"}), 20, []string{"No token is predicted"}},
		{"next", NextTokens(1, a, predictedText("student", long, 2)), 30, []string{"·w2", "·other", "probability (%)", "teacher", "student"}},
		{"after the text", NextTokens(4, predictedText("m", hostile, 1, 2)), 20, []string{"·end", "<b>", "60"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkFitted(t, test.figure, test.mostKB, test.contains...)
			if html := test.figure.HTML(); strings.Count(html, "</script") != 1 {
				t.Error("the page's script ends elsewhere")
			}
		})
	}
}

func TestNextNumbers(t *testing.T) {
	a, b := predictedText("a", []string{"x", "y", "z"}, 0, 1), predictedText("b", []string{"x", "y", "z"}, 0, 3)
	b.Tokens[1].Expected = []slm.Likely{{ID: 50, Text: "q", Probability: 0.5}, {ID: 99, Text: " other", Probability: 0.25}}
	n, err := nextNumbers(0, []slm.Predicted{a, b})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range n.rows {
		got = append(got, fmt.Sprintf("%s %t %.3f %.3f", row.text, row.follows, row.chances[0], row.chances[1]))
	}
	// What follows has a probability by its loss also where it is not among the likeliest.
	if want := []string{"y true 0.368 0.050", " other false 0.050 0.250", "q false NaN 0.500"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := n.caption(), "After “x”. Bold: “y” follows, expected with 5.0% to 37%."; got != want {
		t.Errorf("caption %q, want %q", got, want)
	}
	if got := n.readingChances(n.rows[2]); !strings.Contains(got, "a <b>less than 5.0%</b>") || !strings.Contains(got, "b <b>50%</b>") {
		t.Errorf("tooltip %q", got)
	}
}

func TestPercentAxis(t *testing.T) {
	for least, want := range map[float64][2]float64{0: {1, 1}, 7.2: {8, 1}, 14.04: {16, 2}, 39: {40, 5}, 100: {100, 10}, 108: {110, 20}} {
		if end, step := percentAxis(least); end != want[0] || step != want[1] {
			t.Errorf("up to %g: an axis to %g in steps of %g, want %v", least, end, step, want)
		}
	}
}
