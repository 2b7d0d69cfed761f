package plots

import (
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strconv"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Architectures compares a teacher with published models and with students, as a table of bars: a row for each, a column for
// each size, with the size above its bar and below it the ratio to the teacher's. A column's bars are to its largest; where the
// layers of a student differ, the bar ends at their mean, and a thin line runs from the smallest to the largest.
//
//	plots.Architectures(teacher, pythia.Architecture(), found.Best().Subnet.Architecture(teacher, "found"))
func Architectures(teacher slm.Config, others ...slm.Architecture) Figure {
	return architecturesFigure(architecturesNumbers(teacher, others))
}

// architectures are the rows of the table, the teacher first.
type architectures struct {
	names   []string
	kinds   []int // of architectureKinds
	columns []column
}

// architectureKinds have a colour each.
var architectureKinds = []string{"teacher", "published", "student"}

// column is a size of all models.
type column struct {
	name  string // in the head of the table
	what  string // in tooltips
	cells []cell
}

type cell struct {
	value     float64
	low, high float64 // over the layers
	ratio     float64 // to the teacher's
}

// architectureColumns say what is compared.
var architectureColumns = []struct {
	name, what string
	of         func(slm.Architecture) slm.SizeRange
	ratio      func(slm.Architecture) float64 // in place of a size
}{
	{name: "layers", what: "layers", ratio: func(a slm.Architecture) float64 { return float64(a.Layers) }},
	{name: "width", what: "embedding dimensions", ratio: func(a slm.Architecture) float64 { return float64(a.Embd) }},
	{name: "heads", what: "heads in a layer", of: func(a slm.Architecture) slm.SizeRange { return a.Heads }},
	{name: "query\ngroups", what: "query groups in a layer", of: func(a slm.Architecture) slm.SizeRange { return a.QueryGroups }},
	{name: "head\nsize", what: "dimensions of a head", of: func(a slm.Architecture) slm.SizeRange { return a.HeadSize }},
	{name: "FFN", what: "FFN neurons in a layer", of: func(a slm.Architecture) slm.SizeRange { return a.FFN }},
	{name: "para-\nmeters", what: "parameters", ratio: func(a slm.Architecture) float64 { return float64(a.Parameters.Total()) }},
	{name: "width :\ndepth", what: "embedding dimensions to layers", ratio: slm.Architecture.WidthToDepth},
	{name: "FFN :\nattention", what: "parameters of the FFN to those of attention", ratio: slm.Architecture.FFNToAttention},
}

func architecturesNumbers(teacher slm.Config, others []slm.Architecture) architectures {
	models := append([]slm.Architecture{teacher.Architecture()}, others...)
	published := slm.PublishedNames()
	var n architectures
	for i, m := range models {
		kind := 2
		if i == 0 {
			kind = 0
		} else if slices.Contains(published, m.Name) {
			kind = 1
		}
		n.names, n.kinds = append(n.names, m.Name), append(n.kinds, kind)
	}
	for _, c := range architectureColumns {
		col := column{name: c.name, what: c.what}
		for _, m := range models {
			var one cell
			if c.of != nil {
				size := c.of(m)
				one = cell{value: size.Mean, low: float64(size.Min), high: float64(size.Max)}
			} else {
				one.value = c.ratio(m)
				one.low, one.high = one.value, one.value
			}
			first := one.value
			if len(col.cells) > 0 {
				first = col.cells[0].value
			}
			one.ratio = one.value / first
			col.cells = append(col.cells, one)
		}
		n.columns = append(n.columns, col)
	}
	return n
}

// largest is where a column's bars end.
func (c column) largest() float64 {
	most := 0.0
	for _, one := range c.cells {
		most = max(most, one.high)
	}
	return most
}

// caption says what the smallest student keeps of the teacher.
func (n architectures) caption() string {
	const parameters, layers, width = 6, 0, 1
	smallest := -1
	for i, kind := range n.kinds {
		if kind == 2 && (smallest < 0 || n.columns[parameters].cells[i].value < n.columns[parameters].cells[smallest].value) {
			smallest = i
		}
	}
	if smallest < 0 {
		return "×: ratio to the teacher. Bars: to the largest of their column."
	}
	share := func(c int) string { return percent(n.columns[c].cells[smallest].ratio) }
	return fmt.Sprintf("%s has %s of the teacher's parameters, %s of its layers and %s of its width (×: ratios).",
		cut(n.names[smallest], mostCited), share(parameters), share(layers), share(width))
}

// times writes a ratio in about two digits.
func times(ratio float64) string {
	if ratio >= 10 {
		return fmt.Sprintf("×%.0f", ratio)
	}
	return fmt.Sprintf("×%.2f", ratio)
}

// number writes a size in at most five letters or so: a narrow column has no room for more.
func number(v float64) string {
	switch {
	case v >= 10_000:
		return slm.Count(int64(v))
	case v >= 999.5:
		return fmt.Sprintf("%d,%03d", int(v+0.5)/1000, int(v+0.5)%1000)
	case v >= 99.95:
		return fmt.Sprintf("%.0f", v)
	}
	return strconv.FormatFloat(rounded(v, 1), 'f', -1, 64)
}

// story is the tooltip of a cell.
func (n architectures) story(row, col int) string {
	c := n.columns[col]
	one := c.cells[row]
	text := fmt.Sprintf("<b>%s</b><br>%s: <b>%s</b>", html.EscapeString(n.names[row]), c.what, number(one.value))
	if one.low < one.high {
		text += fmt.Sprintf(" on average, %s to %s", number(one.low), number(one.high))
	}
	if row > 0 {
		text += fmt.Sprintf("<br>%s the teacher's %s", times(one.ratio), number(c.cells[0].value))
	}
	return text
}

// Sizes of the table, in pixels.
const (
	architectureTop  = 98
	architectureLeft = 142
	mostLetters      = 17 // of a name that fits at the left
	mostCited        = 13 // of one that fits in the caption
	mostTallRows     = 16 // more are drawn without the ratios, which their tooltips tell
)

// tall is whether rows have room for the ratios.
func (n architectures) tall() bool { return len(n.names) <= mostTallRows }

func (n architectures) rowHeight() int {
	if n.tall() {
		return 48
	}
	return 30
}

// drawCell is JavaScript that draws a part of a cell, whose values are its row, its column and what the part needs: x is its left
// end, y the middle of its bar, w and h its size.
const drawCell = `function(p,api){var c=api.coord([api.value(1)+0.04,api.value(0)]),s=api.size([0.9,1]),x=c[0],w=s[0],h=s[1],y=c[1]+(h<40?4:0);return %s}`

const (
	hoverPart = `{type:"rect",shape:{x:x,y:c[1]-h/2,width:w,height:h},style:{fill:"#000000",opacity:0}}`
	barPart   = `{type:"rect",shape:{x:x,y:y-2,width:Math.max(1,w*api.value(2)),height:5},style:{fill:api.visual("color")}}`
	rangePart = `{type:"rect",shape:{x:x+w*api.value(2),y:y,width:Math.max(1,w*(api.value(3)-api.value(2))),height:1},style:{fill:api.visual("color")}}`
	textPart  = `{type:"text",x:x,y:y+api.value(2),style:{text:%s[api.value(1)][api.value(0)],fill:api.visual("color"),fontSize:%d,align:"left",verticalAlign:"middle"}}`
)

func cellSeries(name, colour, part string, data [][]any) charts.SingleSeries {
	return charts.SingleSeries{Id: name + colour, Name: name, Type: "custom", Data: data, ItemStyle: &opts.ItemStyle{Color: colour},
		RenderItem: opts.FuncOpts(fmt.Sprintf(drawCell, part))}
}

func architecturesFigure(n architectures) Figure {
	var hover, ranges, values, ratios [][]any
	bars := make([][][]any, len(architectureKinds))
	stories, numbers, factors := make([][]string, len(n.columns)), make([][]string, len(n.columns)), make([][]string, len(n.columns))
	for col, c := range n.columns {
		largest := c.largest()
		for row, one := range c.cells {
			at := []any{row, col}
			hover = append(hover, at)
			kind := n.kinds[row]
			bars[kind] = append(bars[kind], append(at, rounded(one.value/largest, 3)))
			if one.low < one.high {
				ranges = append(ranges, append(at, rounded(one.low/largest, 3), rounded(one.high/largest, 3)))
			}
			values = append(values, append(at, -11))
			if row > 0 {
				ratios = append(ratios, append(at, 13))
			}
			stories[col], numbers[col] = append(stories[col], n.story(row, col)), append(numbers[col], number(one.value))
			factors[col] = append(factors[col], times(one.ratio))
		}
	}
	texts := func(of [][]string, size int) string {
		text, _ := json.Marshal(of) // strings always marshal
		return fmt.Sprintf(textPart, text, size)
	}
	told, _ := json.Marshal(stories)
	chart := charts.NewCustom()
	chart.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Trigger: "item",
		Formatter: opts.FuncOpts(fmt.Sprintf(`function(p){return %s[p.value[1]][p.value[0]]}`, told))}))
	chart.MultiSeries = append(chart.MultiSeries, cellSeries("cells", "#000000", hoverPart, hover))
	var kinds []string
	for kind, name := range architectureKinds {
		if bars[kind] != nil {
			kinds = append(kinds, name)
			chart.MultiSeries = append(chart.MultiSeries, cellSeries(name, colourOf(kind), barPart, bars[kind]))
		}
	}
	chart.MultiSeries = append(chart.MultiSeries, cellSeries("cells", inkText, rangePart, ranges),
		cellSeries("numbers", inkText, texts(numbers, 12), values))
	if n.tall() {
		chart.MultiSeries = append(chart.MultiSeries, cellSeries("ratios", inkMuted, texts(factors, 10), ratios))
	}
	f := New("Architectures beside "+n.names[0], n.caption(), chart)
	n.place(&f, kinds)
	return f
}

// place lays the table out: its head above, the models' names at its left.
func (n architectures) place(f *Figure, kinds []string) {
	body := n.rowHeight() * len(n.names)
	f.Height = architectureTop + body + 34
	var names, heads []string
	var starts []float64
	for _, name := range n.names {
		names = append(names, cut(name, mostLetters))
	}
	for i, c := range n.columns {
		heads, starts = append(heads, c.name), append(starts, float64(i)+0.04)
	}
	text, _ := json.Marshal(heads)
	f.option["grid"] = map[string]any{"left": architectureLeft, "right": 12, "top": architectureTop, "height": body}
	f.option["legend"] = map[string]any{"data": kinds, "left": titleLeft, "bottom": 4, "itemGap": 28, "itemWidth": 14, "itemHeight": 12, "icon": "rect"}
	f.option["xAxis"] = []any{map[string]any{"type": "value", "position": "top", "min": 0, "max": len(n.columns),
		"axisLine": off(), "axisTick": off(), "splitLine": off(),
		"axisLabel": map[string]any{"customValues": starts, "align": "left", "margin": 8, "fontSize": 11,
			"formatter": "__f__" + fmt.Sprintf(`function(v){return %s[Math.floor(v)]}`, text) + "__f__"}}}
	f.option["yAxis"] = []any{map[string]any{"type": "category", "inverse": true, "data": names, "axisTick": off(), "axisLine": off(),
		"splitLine": map[string]any{"show": true}, "axisLabel": map[string]any{"interval": 0}}}
	f.dress()
}
