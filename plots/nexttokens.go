package plots

import (
	"cmp"
	"errors"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// NextTokens draws what models expect after token i of a text that all have read, side by side: the probability of the tokens that
// are likeliest to any of them. After the last token that is what would come behind the text; -1 is before the first.
func NextTokens(i int, models ...slm.Predicted) Figure {
	n, err := nextNumbers(i, models)
	if err != nil {
		return Figure{Title: "Next tokens", err: err}
	}
	return nextFigure(n)
}

const (
	likeliestOfEach = 8    // tokens of each model
	mostTokens      = 12   // of the figure
	leastChance     = 5e-4 // to any model of a token that is not the first, nor follows: a shorter bar is none
)

// nextTokens are the rows of the figure, the likeliest to the first model on top.
type nextTokens struct {
	before string // the end of the text so far
	models []slm.Predicted
	rows   []nextToken
	floors []float64 // the least probability that each model names
}

type nextToken struct {
	text    string
	follows bool      // in the text
	chances []float64 // of each model; NaN where it is less than the model's floor
}

func nextNumbers(i int, models []slm.Predicted) (n nextTokens, err error) {
	if len(models) == 0 {
		return n, errors.New("plots: no model says what it expects")
	}
	if err := sameTokens(models); err != nil {
		return n, err
	}
	tokens := models[0].Tokens
	if i < -1 || i >= len(tokens) || models[0].After(i) == nil {
		return n, fmt.Errorf("plots: nothing is expected after token %d: the text has tokens 0 to %d", i, len(tokens)-1)
	}
	n.models = models
	for _, t := range tokens[max(0, i-24) : i+1] {
		n.before += t.Text
	}
	n.addRows(i)
	return n, nil
}

// addRows collects the likeliest tokens of all models, and the one that follows.
func (n *nextTokens) addRows(i int) {
	ids, texts := []int32{}, map[int32]string{}
	note := func(id int32, text string) {
		if _, there := texts[id]; !there {
			ids, texts[id] = append(ids, id), text
		}
	}
	follows := int32(-1)
	if tokens := n.models[0].Tokens; i+1 < len(tokens) {
		follows = tokens[i+1].ID
		note(follows, tokens[i+1].Text)
	}
	for place := range likeliestOfEach {
		for _, m := range n.models {
			if list := m.After(i); place < len(list) {
				note(list[place].ID, list[place].Text)
			}
		}
	}
	for place, id := range ids[:min(mostTokens, len(ids))] {
		row := nextToken{text: texts[id], follows: id == follows}
		for _, m := range n.models {
			row.chances = append(row.chances, chance(m, i, id))
		}
		if place > 0 && !row.follows && !slices.ContainsFunc(row.chances, func(p float64) bool { return p >= leastChance }) {
			continue
		}
		n.rows = append(n.rows, row)
	}
	for _, m := range n.models {
		list := m.After(i)
		n.floors = append(n.floors, list[len(list)-1].Probability)
	}
	slices.SortStableFunc(n.rows, func(a, b nextToken) int {
		for k := range a.chances {
			if c := cmp.Compare(b.chances[k], a.chances[k]); c != 0 { // NaN is less than any number
				return c
			}
		}
		return 0
	})
}

// chance is how probable a token is after token i; NaN where the model does not say.
func chance(m slm.Predicted, i int, id int32) float64 {
	for _, l := range m.After(i) {
		if l.ID == id {
			return l.Probability
		}
	}
	if i+1 < len(m.Tokens) && m.Tokens[i+1].ID == id {
		return math.Exp(-m.Tokens[i+1].Loss)
	}
	return math.NaN()
}

func (n nextTokens) caption() string {
	before := strings.TrimSpace(visible(n.before))
	if letters := []rune(before); len(letters) > 32 {
		before = "…" + string(letters[len(letters)-31:])
	}
	for _, row := range n.rows {
		if row.follows {
			said := likelihood(slices.Max(row.chances))
			if least := likelihood(slices.Min(row.chances)); least != said {
				said = least + " to " + said
			}
			return fmt.Sprintf("After “%s”. Bold: “%s” follows, expected with %s.", before, cut(spaced(row.text), 12), said)
		}
	}
	return fmt.Sprintf("After “%s”. Likeliest: “%s” of %s.", before, cut(spaced(n.rows[0].text), 16), abridged(n.models[0].Model, 24))
}

// readingChances is the tooltip of a token: what each model gives it.
func (n nextTokens) readingChances(row nextToken) string {
	out := "<b>" + html.EscapeString(spaced(row.text)) + "</b>"
	for k, m := range n.models {
		said := likelihood(row.chances[k])
		if math.IsNaN(row.chances[k]) {
			said = "less than " + likelihood(n.floors[k])
		}
		out += fmt.Sprintf("<br>%s <b>%s</b>", named(m.Model, m.Steps), said)
	}
	return out
}

func nextFigure(n nextTokens) Figure {
	names, stories, most := make([]any, len(n.rows)), make([]string, len(n.rows)), 0.0
	for i, row := range n.rows {
		names[i] = map[string]any{"value": cut(spaced(row.text), 16)}
		if row.follows {
			names[i].(map[string]any)["textStyle"] = map[string]any{"fontWeight": "bold"}
		}
		stories[i] = n.readingChances(row)
	}
	chart := charts.NewBar()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(fmt.Sprintf(`function(p){return %s[p.dataIndex]}`, quotedAll(stories)))}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: "probability (%)", NameLocation: "middle", NameGap: 30, Min: 0}),
		charts.WithYAxisOpts(opts.YAxis{Type: "category"}),
	)
	var taken []string
	for k, m := range n.models {
		data := make([]opts.BarData, len(n.rows))
		for i, row := range n.rows {
			if p := row.chances[k]; !math.IsNaN(p) {
				most = max(most, p)
				data[i].Value = rounded(100*p, 2)
			}
		}
		name := abridged(cmp.Or(m.Model, fmt.Sprintf("model %d", k+1)), 30)
		if slices.Contains(taken, name) { // the legend switches by name
			name = fmt.Sprintf("%s (%d)", name, k+1)
		}
		taken = append(taken, name)
		chart.AddSeries(name, data, charts.WithItemStyleOpts(opts.ItemStyle{Color: colourOf(k)}),
			charts.WithLabelOpts(opts.Label{Show: opts.Bool(true), Position: "right", Color: inkText, FontSize: 11,
				Formatter: opts.FuncOpts(`function(p){return p.value>=0.05?p.value.toFixed(p.value<9.95?1:0):""}`)}))
	}
	f := New("Next token", n.caption(), chart)
	f.frame()
	f.set("yAxis.0.data", names)
	f.set("yAxis.0.inverse", true)
	f.set("yAxis.0.axisTick", off())
	f.set("yAxis.0.splitLine", off())
	end, step := percentAxis(108 * most) // room for the numbers
	f.set("xAxis.0.max", end)
	f.set("xAxis.0.interval", step)
	f.set("xAxis.0.axisLabel.showMaxLabel", end <= 100)
	f.set("grid.left", 28+widest(names))
	f.Height = 66 + max(24, 8+14*len(n.models))*len(n.rows) + 80
	return f
}

// widest is how much room names beside an axis need, in pixels.
func widest(names []any) (pixels int) {
	for _, name := range names {
		pixels = max(pixels, int(math.Ceil(textWidth(name.(map[string]any)["value"].(string), "bold 12px sans-serif"))))
	}
	return pixels
}

// percentAxis is a round end, in percent, that is not less, and the step of its numbers.
func percentAxis(least float64) (end, step float64) {
	for _, step := range []float64{1, 2, 5, 10} {
		if least <= 10*step {
			return step * max(1, math.Ceil(least/step)), step
		}
	}
	return 110, 20
}
