package plots

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Mask draws what a sub-network keeps of its teacher: heads by query group and FFN neurons, a row for each of the
// teacher's layers, and below them the embedding dimensions, which all layers share. Neurons and dimensions are drawn
// in bins, the stronger the more of a bin is kept. A row's tooltip lists its index sets.
func Mask(teacher slm.Config, s slm.Subnet) Figure {
	if err := s.Validate(teacher); err != nil {
		return Figure{Title: "Sub-network", err: fmt.Errorf("plots: the sub-network is not one of %s: %w", teacher.Name, err)}
	}
	return maskFigure(maskNumbers(teacher, s))
}

// mask is what the figure shows: three panels, of which two have a row for each layer.
type mask struct {
	teacher    slm.Config
	parameters int64
	total      int64
	kept       []bool   // by layer
	stories    []string // by layer
	heads      panel
	ffn        panel
	embd       panel
}

// panel is a block of rows with the runs that are kept in each.
type panel struct {
	size  float64 // width in units, gaps between query groups included
	rows  int
	track []run // what kept layers drop, or all that they had
	runs  []run
	count int // units kept
	of    int // units of the teacher
}

// run is a stretch of a row whose units are kept to the same share, in quarters: 1 to 4.
type run struct {
	row      int
	from, to float64
	share    int
}

// maskBins is the number of bins of a long dimension: finer would show on no screen and make notebooks heavy.
const maskBins = 64

// mostBoxes is the number of heads in a layer up to which each is a box of its own.
const mostBoxes = 40

// groupGap parts the heads of neighbouring query groups, in head widths.
const groupGap = 0.6

func maskNumbers(teacher slm.Config, s slm.Subnet) mask {
	m := mask{teacher: teacher, parameters: s.Parameters(teacher).Total(), total: slm.Subnet{}.Parameters(teacher).Total(),
		kept: make([]bool, teacher.Layers), stories: make([]string, teacher.Layers)}
	m.heads = panel{size: headAt(teacher, teacher.Heads-1) + 1, rows: teacher.Layers, of: teacher.Heads * teacher.Layers}
	m.ffn = panel{size: float64(teacher.FFN), rows: teacher.Layers, of: teacher.FFN * teacher.Layers}
	for l := range m.stories {
		m.stories[l] = fmt.Sprintf("<b>layer %d</b>: dropped", l)
	}
	for _, l := range s.KeptLayers(teacher) {
		m.kept[l.Layer] = true
		m.stories[l.Layer] = layerStory(teacher, l)
		m.addHeads(l)
		m.ffn.addBinned(l.Layer, l.FFN, teacher.FFN)
	}
	m.embd = panel{size: float64(teacher.Embd), rows: 1, of: teacher.Embd}
	m.embd.addBinned(0, s.Embd, teacher.Embd)
	return m
}

// headAt is where a head begins in its row.
func headAt(teacher slm.Config, head int) float64 {
	return float64(head) + groupGap*float64(head/teacher.HeadsPerGroup())
}

func (m *mask) addHeads(l slm.LayerSubnet) {
	for head := range m.teacher.Heads {
		at := headAt(m.teacher, head)
		box := run{l.Layer, at, at + 1, 4}
		if !l.Heads.Contains(head) {
			m.heads.track = append(m.heads.track, box)
			continue
		}
		m.heads.count++
		if m.teacher.Heads <= mostBoxes {
			m.heads.runs = append(m.heads.runs, box)
		} else {
			m.heads.add(box)
		}
	}
}

// addBinned adds a row of a long dimension, bin by bin.
func (p *panel) addBinned(row int, kept slm.Indices, size int) {
	p.track = append(p.track, run{row, 0, float64(size), 4})
	p.count += kept.Len(size)
	bins := min(size, maskBins)
	counts := make([]int, bins)
	for _, i := range kept.Slice(size) {
		counts[i*bins/size]++
	}
	for bin, count := range counts {
		// The bin's units are those with i*bins/size == bin.
		first, next := (bin*size+bins-1)/bins, ((bin+1)*size+bins-1)/bins
		share := int(math.Ceil(4 * float64(count) / float64(next-first)))
		if share > 0 {
			p.add(run{row, float64(first), float64(next), share})
		}
	}
}

// add appends a run and joins it with a like one that it touches.
func (p *panel) add(r run) {
	if n := len(p.runs); n > 0 {
		if last := &p.runs[n-1]; last.row == r.row && last.share == r.share && last.to == r.from {
			last.to = r.to
			return
		}
	}
	p.runs = append(p.runs, r)
}

func layerStory(teacher slm.Config, l slm.LayerSubnet) string {
	shape := l.Shape(teacher)
	line := func(name string, kept slm.Indices, count, of int) string {
		return fmt.Sprintf("<br>%s %s (%d of %d)", name, html.EscapeString(shortened(kept.String())), count, of)
	}
	return fmt.Sprintf("<b>layer %d</b>", l.Layer) +
		line("query groups", l.QueryGroups, shape.QueryGroups, teacher.QueryGroups) +
		line("heads", l.Heads, shape.Heads, teacher.Heads) +
		line("head size", l.HeadSize, shape.HeadSize, teacher.HeadSize) +
		line("FFN neurons", l.FFN, shape.FFN, teacher.FFN)
}

// shortened cuts a long index set, such as a fine one of hundreds of neurons.
func shortened(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

func (m mask) layers() int {
	n := 0
	for _, kept := range m.kept {
		if kept {
			n++
		}
	}
	return n
}

// rowHeight keeps 30 layers readable and 96 on the page.
func (m mask) rowHeight() int { return max(5, min(16, 360/len(m.kept))) }

// drawRun is JavaScript that draws a run as a box of its row, with a hair of space around it.
const drawRun = `function(p,api){var a=api.coord([api.value(1),api.value(0)]),b=api.coord([api.value(2),api.value(0)]),h=api.size([0,1])[1],g=%s;` +
	`return{type:"rect",shape:{x:a[0]+g,y:a[1]-h/2+0.5,width:Math.max(1,b[0]-a[0]-2*g),height:Math.max(1,h-1)},style:{fill:%s,opacity:%s}}}`

func (m mask) series(index int, name, colour string, p panel, gap string) []charts.SingleSeries {
	hover := make([]run, p.rows)
	for row := range hover {
		hover[row] = run{row, 0, p.size, 4}
	}
	layer := func(runs []run, fill, opacity string) charts.SingleSeries {
		// Runs of one colour in a row become one shape of the static picture.
		runs = slices.SortedStableFunc(slices.Values(runs), func(a, b run) int { return cmp.Compare(a.share, b.share) })
		data := make([][]any, len(runs))
		for i, r := range runs {
			data[i] = []any{r.row, rounded(r.from, 2), rounded(r.to, 2), r.share}
		}
		return charts.SingleSeries{Name: name, Type: "custom", XAxisIndex: index, YAxisIndex: index, Data: data,
			ItemStyle:  &opts.ItemStyle{Color: fill},
			RenderItem: opts.FuncOpts(fmt.Sprintf(drawRun, gap, `api.visual("color")`, opacity))}
	}
	return []charts.SingleSeries{
		layer(hover, "#000000", "0"),
		layer(p.track, inkFaint, "0.7"),
		layer(p.runs, colour, "api.value(3)/4"),
	}
}

func (m mask) caption() string {
	layers := fmt.Sprintf("Empty rows: dropped layers (%d of %d).", len(m.kept)-m.layers(), len(m.kept))
	if m.layers() == len(m.kept) {
		layers = fmt.Sprintf("All %d layers are kept.", len(m.kept))
	}
	return fmt.Sprintf("Coloured: kept, %s of %s parameters. Pale: dropped. %s", slm.Count(m.parameters), slm.Count(m.total), layers)
}

func maskFigure(m mask) Figure {
	chart := charts.NewCustom()
	stories, _ := json.Marshal(m.stories) // strings always marshal
	embd, _ := json.Marshal(fmt.Sprintf("<b>embedding dimensions</b><br>%d of %d kept", m.embd.count, m.embd.of))
	chart.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Trigger: "item",
		Formatter: opts.FuncOpts(fmt.Sprintf(`function(p){return p.seriesName==="embd"?%s:%s[p.value[0]]}`, embd, stories))}))
	chart.ExtendXAxis(opts.XAxis{}, opts.XAxis{})
	chart.ExtendYAxis(opts.YAxis{}, opts.YAxis{})
	chart.MultiSeries = append(chart.MultiSeries, m.series(0, "heads", categorical[0], m.heads, "0.5")...)
	chart.MultiSeries = append(chart.MultiSeries, m.series(1, "ffn", categorical[2], m.ffn, "0")...)
	chart.MultiSeries = append(chart.MultiSeries, m.series(2, "embd", categorical[1], m.embd, "0")...)
	f := New("Sub-network of "+m.teacher.Name, m.caption(), chart)
	m.place(&f)
	return f
}

// place lays the panels out: heads and neurons side by side on the layers' axis, the embedding below both.
func (m mask) place(f *Figure) {
	const top, left, right = 66, 64, 28
	body := m.rowHeight() * len(m.kept)
	f.Height = top + body + 44 + 16 + 48
	share := func(p panel) string {
		return fmt.Sprintf("%d%% kept", int(math.Round(100*float64(p.count)/float64(p.of))))
	}
	f.option["legend"] = map[string]any{"show": false}
	f.option["grid"] = []any{
		map[string]any{"left": left, "right": "65%", "top": top, "height": body},
		map[string]any{"left": "39%", "right": right, "top": top, "height": body},
		map[string]any{"left": left, "right": right, "top": top + body + 50, "height": 16},
	}
	f.option["xAxis"] = []any{
		m.groupAxis(fmt.Sprintf("heads by query group, %s", share(m.heads))),
		unitAxis(1, fmt.Sprintf("FFN neurons, %s", share(m.ffn)), m.teacher.FFN),
		unitAxis(2, fmt.Sprintf("embedding dimensions, %s", share(m.embd)), m.teacher.Embd),
	}
	f.option["yAxis"] = []any{m.layerAxis(0, true), m.layerAxis(1, false),
		map[string]any{"type": "category", "gridIndex": 2, "data": []string{"embd"}, "axisTick": off(), "axisLine": off(), "splitLine": off()}}
	f.dress()
}

func off() map[string]any { return map[string]any{"show": false} }

// layerAxis names the kept layers, the first on top.
func (m mask) layerAxis(grid int, labels bool) map[string]any {
	every := (10 + m.rowHeight()) / m.rowHeight() // a label needs 11 pixels
	names := make([]any, len(m.kept))
	for l := range names {
		ink := inkText
		if !m.kept[l] && every == 1 {
			ink = inkFaint
		}
		names[l] = map[string]any{"value": strconv.Itoa(l), "textStyle": map[string]any{"color": ink}}
	}
	axis := map[string]any{"type": "category", "gridIndex": grid, "inverse": true, "data": names,
		"axisTick": off(), "axisLine": off(), "splitLine": off(),
		"axisLabel": map[string]any{"show": labels, "fontSize": 10.5, "interval": every - 1}}
	if labels {
		axis["name"], axis["nameLocation"], axis["nameGap"] = "layer", "middle", 34
	}
	return axis
}

// groupAxis numbers the query groups below their heads.
func (m mask) groupAxis(name string) map[string]any {
	perGroup := m.teacher.HeadsPerGroup()
	middles := make([]float64, m.teacher.QueryGroups)
	for g := range middles {
		middles[g] = headAt(m.teacher, g*perGroup) + float64(perGroup)/2
	}
	shown := thinned(middles, 8)
	axis := unitAxis(0, name, 0)
	axis["max"] = m.heads.size
	axis["axisLabel"] = map[string]any{"customValues": shown, "margin": 6, "formatter": "__f__" +
		fmt.Sprintf(`function(v){return Math.round((v-%g)/%g)}`, float64(perGroup)/2, float64(perGroup)+groupGap) + "__f__"}
	return axis
}

// unitAxis counts the units of a dimension, in quarters.
func unitAxis(grid int, name string, size int) map[string]any {
	quarters := make([]int, 5)
	for i := range quarters {
		quarters[i] = i * size / 4
	}
	return map[string]any{"type": "value", "gridIndex": grid, "min": 0, "max": size,
		"name": name, "nameLocation": "middle", "nameGap": 24,
		"axisTick": off(), "axisLine": off(), "splitLine": off(),
		"axisLabel": map[string]any{"customValues": quarters, "margin": 6}}
}
