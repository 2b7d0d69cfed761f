package plots

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// unitPanels is how the units of a teacher are drawn, whatever is told of them: a row for each layer, with panels for its
// heads, its neurons and the like beside each other, and below them one row for the embedding dimensions, which all layers share.
type unitPanels struct {
	teacher slm.Config
	panels  []panel // of layers, from left to right
	embd    panel
	pale    []bool // layers whose number is written in a faint ink
}

// panel is a block of rows with the runs of units that are drawn in each.
type panel struct {
	name  string    // of its axis
	share float64   // of the figure's width
	units int       // in a row
	group int       // of them between two gaps; 0 for no gaps
	boxes bool      // units stand apart
	told  bool      // runs have values
	track []run     // the pale ground: what could be there
	runs  []run     // what is
	ticks []float64 // positions that are numbered
	ticky string    // JavaScript from a position to its number; "" for the position itself
	count int       // units kept
	of    int       // units of the teacher
}

// run is a stretch of a row whose units are drawn alike.
type run struct {
	row      int
	from, to int     // units, up to but without the last
	level    int     // of colour, from 1
	value    float64 // mean of the units'
}

// mostBins is the number of bins of a long dimension: finer would show on no screen and make notebooks heavy.
const mostBins = 64

// binsOf is the number of bins of a dimension, fewer where there are many rows.
func binsOf(size, rows int) int { return min(size, mostBins, max(16, 3072/rows)) }

// binBounds are the units of a bin, from first up to but without next: those with i*bins/size == bin.
func binBounds(bin, bins, size int) (first, next int) {
	return (bin*size + bins - 1) / bins, ((bin+1)*size + bins - 1) / bins
}

// mostBoxes is the number of heads in a layer up to which each is a box of its own.
const mostBoxes = 40

// groupGap parts the heads of neighbouring query groups, in head widths.
const groupGap = 0.6

// at is where a unit begins in its row.
func (p panel) at(unit int) float64 {
	if p.group == 0 {
		return float64(unit)
	}
	return float64(unit) + groupGap*float64(unit/p.group)
}

// size is the width of a row in units, gaps included.
func (p panel) size() float64 { return p.at(p.units-1) + 1 }

// add appends a run and joins it with one of its level that it touches.
func (p *panel) add(r run) {
	gap := p.group > 0 && r.from%p.group == 0
	if n := len(p.runs); n > 0 && !p.boxes && !gap {
		if last := &p.runs[n-1]; last.row == r.row && last.level == r.level && last.to == r.from {
			last.value += (r.value - last.value) * float64(r.to-r.from) / float64(r.to-last.from) // the mean of both
			last.to = r.to
			return
		}
	}
	p.runs = append(p.runs, r)
}

// whole is the row of a panel from end to end.
func (p panel) whole(row int) run { return run{row: row, to: p.units} }

// mostTicks fit below the heads in a narrow cell.
const mostTicks = 8

// layersPanel is a column for the layers themselves.
func layersPanel(teacher slm.Config) panel {
	return panel{name: "layer", share: 0.03, units: 1, of: teacher.Layers}
}

// headsPanel has the heads of a layer side by side, by query group.
func headsPanel(teacher slm.Config) panel {
	p := panel{name: "heads", share: 0.29, units: teacher.Heads, boxes: teacher.Heads <= mostBoxes,
		of: teacher.Heads * teacher.Layers}
	perGroup := teacher.HeadsPerGroup()
	if perGroup == 1 {
		p.ticks = thinned(middles(teacher.Heads, 0, 1), mostTicks)
		p.ticky = `function(v){return Math.round(v-0.5)}`
		return p
	}
	p.name, p.group = "heads by query group", perGroup
	p.ticks = thinned(middles(teacher.QueryGroups, groupGap, float64(perGroup)), mostTicks)
	p.ticky = fmt.Sprintf(`function(v){return Math.round((v-%g)/%g)}`, float64(perGroup)/2, float64(perGroup)+groupGap)
	return p
}

// middles of n boxes of some width, with a gap between them.
func middles(n int, gap, width float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(i)*(width+gap) + width/2
	}
	return out
}

// unitsPanel has the units of a long dimension side by side, numbered at its quarters.
func unitsPanel(name string, share float64, size, rows int) panel {
	p := panel{name: name, share: share, units: size, of: size * rows}
	parts := 4
	if share < 0.2 || share < 1 && size >= 10_000 { // as many numbers as a narrow cell has room for
		parts = 2
	}
	for i := range parts + 1 {
		p.ticks = append(p.ticks, float64(i*size/parts))
	}
	return p
}

func headSizePanel(teacher slm.Config) panel {
	return unitsPanel("head size", 0.13, teacher.HeadSize, teacher.Layers)
}

func ffnPanel(teacher slm.Config) panel {
	return unitsPanel("FFN neurons", 0.46, teacher.FFN, teacher.Layers)
}

func embdPanel(teacher slm.Config) panel {
	return unitsPanel("embedding dimensions", 1, teacher.Embd, 1)
}

// drawRun is JavaScript that draws a run as a box of its row, with a hair of space around it. Its arguments are a group's units and
// the gap between groups, the space beside a box, and the opacity.
const drawRun = `function(p,api){function x(u){return u+Math.floor(u/%d)*%g}` +
	`var a=api.coord([x(api.value(1)),api.value(0)]),b=api.coord([x(api.value(2)-1)+1,api.value(0)]),h=api.size([0,1])[1],g=%g;` +
	`return{type:"rect",shape:{x:a[0]+g,y:a[1]-h/2+0.5,width:Math.max(1,b[0]-a[0]-2*g),height:Math.max(1,h-1)},style:{fill:api.visual("color"),opacity:%g}}}`

// rowSeries draws runs of a panel, the index-th, in one colour.
func rowSeries(index int, p panel, name, colour string, opacity float64, runs []run) charts.SingleSeries {
	group, between, beside := 1, 0.0, 0.0
	if p.group > 0 {
		group, between = p.group, groupGap
	}
	if p.boxes {
		beside = 0.5
	}
	return charts.SingleSeries{Id: rowID(index, name, colour), Name: name, Type: "custom", XAxisIndex: index, YAxisIndex: index, Data: packed(runs, p.told),
		ItemStyle: &opts.ItemStyle{Color: colour}, RenderItem: opts.FuncOpts(fmt.Sprintf(drawRun, group, between, beside, opacity))}
}

// rowID names a series; with it tooltips know the panel.
func rowID(index int, name, colour string) string {
	return fmt.Sprintf("%d %s %s", index, name, colour)
}

// packed are runs as data of a series, in few letters: inks.js tells how, and unpacks them. They must be in the order of their rows
// and units.
func packed(runs []run, told bool) map[string]any {
	numbers := []float64{}
	row, at := -1, 0
	for _, r := range runs {
		if r.row != row {
			row, at = r.row, 0
			numbers = append(numbers, float64(-1-row))
		}
		if skipped, units := 2*(r.from-at), r.to-r.from; units == 1 {
			numbers = append(numbers, float64(skipped))
		} else {
			numbers = append(numbers, float64(skipped+1), float64(units))
		}
		if told {
			numbers = append(numbers, significant(r.value, 3))
		}
		at = r.to
	}
	return map[string]any{"$runs": numbers, "told": told}
}

// ground is what lies below the runs of a panel: rows that answer the pointer, and the track.
func (u unitPanels) ground(index int, p panel) []charts.SingleSeries {
	p.told = false
	rows := u.teacher.Layers
	if index == len(u.panels) {
		rows = 1
	}
	hover := make([]run, rows)
	for row := range hover {
		hover[row] = p.whole(row)
	}
	return []charts.SingleSeries{
		rowSeries(index, p, groundName, "#000000", 0, hover),
		rowSeries(index, p, groundName, inkFaint, 0.7, p.track),
	}
}

// groundName is that of series which no legend lists.
const groundName = "units"

// all are the panels with the embedding, the last.
func (u unitPanels) all() []panel { return append(slices.Clone(u.panels), u.embd) }

// levels draws the runs of all panels, each level in a colour and under a name of its own.
func (u unitPanels) levels(names, colours []string) (series []charts.SingleSeries) {
	for i, p := range u.all() {
		for level, name := range names {
			series = append(series, rowSeries(i, p, name, colours[level], 1, p.ofLevel(level+1)))
		}
	}
	return series
}

// ofLevel are the runs of one level.
func (p panel) ofLevel(level int) []run {
	return slices.DeleteFunc(slices.Clone(p.runs), func(r run) bool { return r.level != level })
}

// chart holds the ground of all panels; a figure adds its runs.
func (u unitPanels) chart(tooltip string) *charts.Custom {
	chart := charts.NewCustom()
	chart.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(tooltip)}))
	for index, p := range u.all() {
		if index > 0 {
			chart.ExtendXAxis(opts.XAxis{})
			chart.ExtendYAxis(opts.YAxis{})
		}
		chart.MultiSeries = append(chart.MultiSeries, u.ground(index, p)...)
	}
	return chart
}

// rowHeight keeps 30 layers readable and 96 on the page.
func (u unitPanels) rowHeight() int { return max(5, min(16, 360/u.teacher.Layers)) }

// Margins of the panels, in pixels.
const (
	panelTop    = 70
	panelLeft   = 64
	panelRight  = 28
	embdGap     = 62 // from the rows of layers to the embedding's
	embdHeight  = 16
	panelBottom = 44
)

// place lays the panels out: those of layers side by side on the layers' axis, the embedding below them, and room for a legend.
func (u unitPanels) place(f *Figure, legend map[string]any) {
	body := u.rowHeight() * u.teacher.Layers
	f.Height = panelTop + body + embdGap + embdHeight + panelBottom
	if legend == nil {
		legend = off()
	} else {
		f.Height += 26
		fill(legend, map[string]any{"left": 8, "bottom": 4, "itemGap": 28, "itemWidth": 14, "itemHeight": 12, "icon": "rect"})
	}
	f.option["legend"] = legend
	var grids, xAxes, yAxes []any
	const first, last, gap = 11.5, 96.0, 3.0 // percent
	total := -gap
	for _, p := range u.panels {
		total += 100*p.share + gap
	}
	from := first
	for i, p := range u.panels {
		to := from + 100*p.share/total*(last-first)
		grid := map[string]any{"left": fmt.Sprintf("%.1f%%", from), "right": fmt.Sprintf("%.1f%%", 100-to), "top": panelTop, "height": body}
		if i == 0 {
			grid["left"] = panelLeft
		}
		if i == len(u.panels)-1 {
			grid["right"] = panelRight
		}
		grids, xAxes, yAxes = append(grids, grid), append(xAxes, p.unitAxis(i)), append(yAxes, u.layerAxis(i))
		from = to + gap*(last-first)/total
	}
	for i := range f.option["series"].([]any) {
		f.set(fmt.Sprintf("series.%d.alike", i), true)
	}
	i := len(u.panels)
	f.option["grid"] = append(grids, map[string]any{"left": panelLeft, "right": panelRight, "top": panelTop + body + embdGap, "height": embdHeight})
	f.option["xAxis"] = append(xAxes, u.embd.unitAxis(i))
	f.option["yAxis"] = append(yAxes, map[string]any{"type": "category", "gridIndex": i, "data": []string{"embd"},
		"axisTick": off(), "axisLine": off(), "splitLine": off()})
	f.dress()
}

func off() map[string]any { return map[string]any{"show": false} }

// layerAxis names the layers, the first on top.
func (u unitPanels) layerAxis(grid int) map[string]any {
	every := (10 + u.rowHeight()) / u.rowHeight() // a label needs 11 pixels
	names := make([]any, u.teacher.Layers)
	for l := range names {
		ink := inkText
		if every == 1 && len(u.pale) > l && u.pale[l] {
			ink = inkFaint
		}
		names[l] = map[string]any{"value": strconv.Itoa(l), "textStyle": map[string]any{"color": ink}}
	}
	axis := map[string]any{"type": "category", "gridIndex": grid, "inverse": true, "data": names,
		"axisTick": off(), "axisLine": off(), "splitLine": off(),
		"axisLabel": map[string]any{"show": grid == 0, "fontSize": 10.5, "interval": every - 1}}
	if grid == 0 {
		axis["name"], axis["nameLocation"], axis["nameGap"] = "layer", "middle", 34
	}
	return axis
}

// unitAxis numbers the units of a panel.
func (p panel) unitAxis(grid int) map[string]any {
	label := map[string]any{"show": p.ticks != nil, "customValues": p.ticks, "margin": 6}
	if p.ticky != "" {
		label["formatter"] = "__f__" + p.ticky + "__f__"
	} else { // keep the ends from those of neighbouring panels
		label["alignMinLabel"], label["alignMaxLabel"] = "left", "right"
	}
	return map[string]any{"type": "value", "gridIndex": grid, "min": 0, "max": p.size(),
		"name": p.name, "nameLocation": "middle", "nameGap": 24,
		"axisTick": off(), "axisLine": off(), "splitLine": off(), "axisLabel": label}
}

// kept is the share of a panel's units that are kept, in percent.
func (p panel) kept() string {
	return fmt.Sprintf("%d%% kept", int(math.Round(100*float64(p.count)/float64(p.of))))
}
