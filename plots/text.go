package plots

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Text draws a text whose tokens are coloured by what they cost: of one model the loss, the darker the harder to predict; of two
// the second's loss minus the first's, orange where the second predicts the token worse, blue where better. A token's tooltip has
// the loss of each model, and what it expected instead. The two must have read the same tokens.
func Text(model slm.Predicted, other ...slm.Predicted) Figure {
	n, err := textNumbers(append([]slm.Predicted{model}, other...))
	if err != nil {
		return Figure{Title: "Text", err: err}
	}
	return textFigure(n)
}

const (
	textColumns = 76 // letters in a row: they fill a cell of 600 pixels in a size that reads well
	mostRows    = 48 // of a figure
	rowPixels   = 22
	mostStory   = 5 // likeliest tokens that a tooltip lists
)

// readText is what the figure shows: each token in its place of a page.
type readText struct {
	models []slm.Predicted
	cells  []textCell
	shown  int // tokens
	rows   int
	scale  float64 // where the colour is strongest: nats
}

// textCell is a token on the page, or a part of one that goes on in the next line.
type textCell struct {
	token              int
	row, column, width int
	label              string
	nats               float64
	predicted          bool // else it has no loss, and no colour
}

func textNumbers(models []slm.Predicted) (n readText, err error) {
	if len(models) > 2 {
		return n, fmt.Errorf("plots: a text is coloured by one model or by the difference of two, not by %d", len(models))
	}
	if err := sameTokens(models); err != nil {
		return n, err
	}
	n.models = models
	var page page
	for i, token := range models[0].Tokens {
		nats := token.Loss
		if len(models) == 2 {
			nats = models[1].Tokens[i].Loss - token.Loss
		}
		cells, ok := page.add(token.Text)
		if !ok {
			break
		}
		for _, c := range cells {
			c.token, c.predicted, c.nats = i, token.IsPredicted(), nats
			n.cells = append(n.cells, c)
		}
		n.shown++
	}
	n.rows, n.scale = page.row+1, n.strongest()
	return n, nil
}

// sameTokens reports models that did not read the same text.
func sameTokens(models []slm.Predicted) error {
	for _, m := range models[1:] {
		if !slices.EqualFunc(m.Tokens, models[0].Tokens, func(a, b slm.PredictedToken) bool { return a.ID == b.ID && a.Text == b.Text }) {
			return fmt.Errorf("plots: %s and %s read different tokens: let both read the same text, and choose models with the same vocabulary", models[0].Model, m.Model)
		}
	}
	return nil
}

// page is where the next token goes.
type page struct {
	row, column int
	ended       bool // the last token ended its line
}

// add places a token, on a new row where it does not fit; not ok says that the page is full.
func (p *page) add(text string) (cells []textCell, ok bool) {
	before := *p
	for part := range strings.Lines(cmp.Or(text, " ")) { // a token without text is a place that a pointer finds
		label := visible(part)
		if columns(label) > textColumns {
			label = cut(label, textColumns/2)
		}
		if p.ended || p.column+columns(label) > textColumns {
			p.row, p.column = p.row+1, 0
		}
		if p.row >= mostRows {
			*p = before
			return nil, false
		}
		cells = append(cells, textCell{row: p.row, column: p.column, width: max(1, columns(label)), label: label})
		p.column += max(1, columns(label))
		p.ended = strings.HasSuffix(part, "\n")
	}
	return cells, true
}

// strongest is a round number of nats that few tokens exceed.
func (n readText) strongest() float64 {
	var sizes []float64
	for _, c := range n.cells {
		if c.predicted && drawable(c.nats) {
			sizes = append(sizes, math.Abs(c.nats))
		}
	}
	if len(sizes) == 0 {
		return 1
	}
	slices.Sort(sizes)
	return max(0.5, math.Ceil(2*sizes[(len(sizes)-1)*95/100])/2)
}

func (n readText) isDifference() bool { return len(n.models) == 2 }

func (n readText) title() string {
	part, room := "", 20 // letters
	if all := len(n.models[0].Tokens); n.shown < all {
		part, room = fmt.Sprintf(" (first %d of %d)", n.shown, all), 13
	}
	if n.isDifference() {
		return fmt.Sprintf("Loss by token, %s against %s%s", abridged(n.models[1].Model, room), abridged(n.models[0].Model, room), part)
	}
	return "Loss by token, " + abridged(n.models[0].Model, 2*room) + part
}

func (n readText) caption() string {
	first := n.models[0]
	if n.isDifference() {
		second := n.models[1]
		return fmt.Sprintf("Orange: harder for %s than %s. Blue: easier. Mean loss %.3f, %.3f.",
			abridged(second.Model, 12), abridged(first.Model, 12), second.Loss(), first.Loss())
	}
	hardest := slices.MaxFunc(append(n.cells, textCell{nats: math.Inf(-1)}), func(a, b textCell) int {
		return int(math.Copysign(1, a.nats-b.nats))
	})
	if !hardest.predicted {
		return "No token is predicted."
	}
	return fmt.Sprintf("Orange: hard to predict. Mean %.3f nats per token, perplexity %.4g. Hardest: “%s”, %.1f.",
		first.Loss(), math.Exp(first.Loss()), cut(strings.TrimSpace(hardest.label), 12), hardest.nats)
}

// readingText is the tooltip of a token. Its arguments are words, the models' names, and of each token the number of its word and,
// unless nothing precedes it, of each model its loss and what the model expected: words' numbers, each with its ten-thousandths.
const readingText = `function(p){var W=%s,M=%s,t=%s[p.value[4]],s="<b>"+W[t[0]]+"</b> token "+p.value[4];` +
	`function l(q){return q>=995?Math.round(q/100)+"%%":q>=10?(q/100).toFixed(1)+"%%":"&lt;0.1%%"}` +
	`if(t.length<2)return s+"<br>nothing precedes it";` +
	`return s+M.map(function(m,k){var e=t[k+1],o=[];for(var i=1;i<e.length;i+=2)o.push(W[e[i]]+" "+l(e[i+1]));` +
	`return"<br>"+m+": <b>"+e[0].toFixed(2)+"</b> nats, p "+l(1e4*Math.exp(-e[0]))+"<br>"+o.join(", ")}).join("")}`

// reading is readingText with this text.
func (n readText) reading() string {
	var words, models []string
	numbers := map[string]int{}
	number := func(text string) int {
		word := html.EscapeString(spaced(text))
		if _, ok := numbers[word]; !ok {
			numbers[word] = len(words)
			words = append(words, word)
		}
		return numbers[word]
	}
	for _, m := range n.models {
		models = append(models, named(m.Model, m.Steps))
	}
	tokens := make([][]any, n.shown)
	for i := range tokens {
		tokens[i] = []any{number(n.models[0].Tokens[i].Text)}
		for _, m := range n.models {
			token := m.Tokens[i]
			if !token.IsPredicted() {
				break
			}
			told := []float64{rounded(token.Loss, 3)}
			for _, l := range token.Expected[:min(mostStory, len(token.Expected))] {
				told = append(told, float64(number(l.Text)), rounded(1e4*l.Probability, 0))
			}
			tokens[i] = append(tokens[i], told)
		}
	}
	told, _ := json.Marshal(tokens) // numbers always marshal
	return fmt.Sprintf(readingText, quotedAll(words), quotedAll(models), told)
}

// likelihood is a probability in percent; it has two digits that matter, as far as one looks.
func likelihood(p float64) string {
	switch {
	case p >= 0.0995:
		return fmt.Sprintf("%.0f%%", 100*p)
	case p >= 0.001:
		return fmt.Sprintf("%.1f%%", 100*p)
	}
	return "<0.1%"
}

// letterPixels is the widest that a letter's place gets: in a wide cell the text does not spread.
const letterPixels = 8.8

// drawToken is JavaScript that finds the box of a token: its left and upper end, its width and height.
var drawToken = fmt.Sprintf(`var w=Math.min(%g,api.size([1,0])[0]),o=api.coord([0,api.value(0)]),h=api.size([0,1])[1],x=o[0]+w*api.value(1);`, letterPixels)

func textFigure(n readText) Figure {
	labels, data := make([]string, len(n.cells)), make([][]any, len(n.cells))
	for i, c := range n.cells {
		word := strings.TrimLeft(c.label, " ") // pictures do not keep spaces at the beginning of a text
		indent := len(c.label) - len(word)
		labels[i] = strings.TrimRight(word, " ")
		coloured := 0
		if c.predicted {
			coloured = 1
		}
		data[i] = []any{c.row, c.column, c.width, rounded(c.nats, 3), c.token, indent, coloured}
	}
	corner := 2
	if n.shown > 300 { // so many round corners weigh more than the text
		corner = 0
	}
	chart := charts.NewCustom()
	chart.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(n.reading())}))
	chart.MultiSeries = []charts.SingleSeries{
		{Name: "tokens", Type: "custom", Data: data, RenderItem: opts.FuncOpts(`function(p,api){` + drawToken + fmt.Sprintf(
			`return{type:"rect",shape:{x:x+0.5,y:o[1]+1,width:w*api.value(2)-1,height:h-2,r:%d},style:{fill:api.visual("color"),opacity:api.value(6)?0.8:0}}}`, corner))},
		{Name: "words", Type: "custom", Data: data, ItemStyle: &opts.ItemStyle{Color: inkText},
			RenderItem: opts.FuncOpts(fmt.Sprintf(`function(p,api){%sreturn{type:"text",silent:true,style:{text:%s[p.dataIndex],x:x+w*api.value(5),y:o[1]+h/2,`+
				`verticalAlign:"middle",font:(w/0.605).toFixed(1)+"px monospace",fill:api.visual("color")}}}`, drawToken, quotedAll(labels)))},
	}
	f := New(n.title(), n.caption(), chart)
	f.set("series.1.silent", true)
	n.place(&f)
	return f
}

// place lays the page out, with the scale of its colours below it.
func (n readText) place(f *Figure) {
	const top, bottom = 66, 56
	f.Height = top + rowPixels*n.rows + bottom
	f.option["legend"] = off()
	f.option["grid"] = map[string]any{"left": 16, "right": 16, "top": top, "height": rowPixels * n.rows}
	f.option["xAxis"], f.option["yAxis"] = hiddenAxis(textColumns, false), hiddenAxis(n.rows, true)
	low, colours, ends := 0.0, []string{inkPaper, categorical[1]}, []string{fmt.Sprintf("%g nats or more", n.scale), "0"}
	if n.isDifference() {
		low, colours = -n.scale, []string{categorical[0], inkPaper, categorical[1]}
		ends = []string{fmt.Sprintf("+%g nats or more", n.scale), fmt.Sprintf("−%g or less", n.scale)}
	}
	f.option["visualMap"] = map[string]any{"type": "continuous", "min": low, "max": n.scale, "dimension": 3, "seriesIndex": 0,
		"inRange": map[string]any{"color": colours},
		"text":    ends, "textStyle": small(inkText), "orient": "horizontal", "left": 12, "bottom": 14, "itemWidth": 12, "itemHeight": 180, "borderWidth": 0}
	f.dress()
}
