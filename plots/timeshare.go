package plots

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// timeShares are the shares of time that the parts of steps took: a bar for each run.
type timeShares struct {
	names []string // of the runs that recorded it
	spent []slm.Spent
	of    int // runs that recorded it
}

// mostShares is how many runs have a bar.
const mostShares = 12

// add takes a run, if it recorded its parts.
func (n *timeShares) add(name string, r slm.Curve) {
	if spent := r.Spent(); spent.Total() > 0 {
		n.names, n.spent = append(n.names, name), append(n.spent, spent)
	}
}

// fit leaves the runs that took longest, in their order.
func (n *timeShares) fit() {
	if n.of = len(n.names); n.of <= mostShares {
		return
	}
	by := make([]int, n.of)
	for i := range by {
		by[i] = i
	}
	slices.SortStableFunc(by, func(a, b int) int { return cmp.Compare(n.spent[b].Total(), n.spent[a].Total()) })
	by = by[:mostShares]
	slices.Sort(by)
	kept := timeShares{of: n.of}
	for _, i := range by {
		kept.names, kept.spent = append(kept.names, n.names[i]), append(kept.spent, n.spent[i])
	}
	*n = kept
}

// most says what takes most of the first run's time.
func (n timeShares) most() (remarks []string) {
	if len(n.names) == 0 {
		return nil
	}
	most := slices.MaxFunc(n.spent[0].Parts(), func(a, b slm.Part) int { return cmp.Compare(a.Seconds, b.Seconds) })
	return []string{fmt.Sprintf("Most time: %s, %s.", most.Name, percent(most.Seconds/n.spent[0].Total()))}
}

// axis names the shares, and says of which runs they are.
func (n timeShares) axis() string {
	if len(n.names) < n.of {
		return fmt.Sprintf("share of time (%%) in the %d longest of %d runs", len(n.names), n.of)
	}
	return "share of time (%)"
}

// readingShare is the tooltip of a part of a bar: a datum is its share, the bar, and the seconds.
const readingShare = `function(p){var v=p.value,s=v[2];return"<b>"+echarts.format.encodeHTML(p.name)+"</b><br>"+p.marker+p.seriesName+" <b>"+v[0].toFixed(v[0]<10?1:0)+"%</b>, "+` +
	`(s<100?+s.toPrecision(3)+" s":s<6000?(s/60).toFixed(1)+" min":(s/3600).toFixed(1)+" h")}`

// parts are the numbers and names of those that any run has.
func (n timeShares) parts() (numbers []int, names []string) {
	var sum slm.Spent
	for _, spent := range n.spent {
		sum = sum.Plus(spent)
	}
	for i, part := range sum.Parts() {
		if part.Seconds > 0 {
			numbers, names = append(numbers, i), append(names, part.Name)
		}
	}
	return numbers, names
}

// extend adds the bars to a chart, on axes of this number.
func (n timeShares) extend(chart *charts.Line, axes int) {
	chart.ExtendXAxis(opts.XAxis{Type: "value", GridIndex: axes, Min: 0, Max: 100, Name: n.axis(), NameLocation: "middle", NameGap: 30})
	chart.ExtendYAxis(opts.YAxis{Type: "category", GridIndex: axes, Data: n.names})
	colours := sequential(len(slm.Spent{}.Parts()))
	numbers, names := n.parts()
	for k, part := range numbers {
		data := make([]any, len(n.spent))
		for i, spent := range n.spent {
			seconds := spent.Parts()[part].Seconds
			data[i] = []any{rounded(100*seconds/spent.Total(), 2), i, significant(seconds, 4)}
		}
		chart.MultiSeries = append(chart.MultiSeries, charts.SingleSeries{Id: "time-" + names[k], Name: names[k], Type: "bar", Data: data,
			Stack: "time", XAxisIndex: axes, YAxisIndex: axes, BarWidth: "15", ItemStyle: &opts.ItemStyle{Color: colours[part]},
			Label: &opts.Label{Show: opts.Bool(true), Position: "inside", FontSize: 11,
				Formatter: opts.FuncOpts(`function(p){return p.value[0]<7?"":Math.round(p.value[0])+"%"}`)}})
	}
}

// legend puts the parts on lines of their own, below the runs. A single run is named by the title.
func (n timeShares) legend(f *Figure, runs []string) {
	_, parts := n.parts()
	if len(parts) == 0 {
		return
	}
	rows, data := legendRows(parts, 584), parts
	if len(runs) > 1 {
		rows, data = rows+legendRows(runs, 584), slices.Concat(runs, []string{"\n"}, parts)
	}
	f.set("legend.data", data)
	f.set("grid.bottom", 39+legendRow*rows)
}

// Heights of the bars, in pixels: each has its run's name above it, unless there is only one.
const (
	shareAlone = 30
	shareNamed = 38
	shareAbove = 58 // room for the axis of the panel above
)

// place puts the bars' panel below the others.
func (n timeShares) place(f *Figure, axes int) {
	height := shareAlone
	if len(n.names) > 1 {
		height = shareNamed * len(n.names)
	}
	last := f.option["grid"].([]any)[axes-1].(map[string]any)
	f.option["grid"] = append(f.option["grid"].([]any), map[string]any{"left": last["left"], "right": last["right"], "height": height, "outerBoundsMode": "none",
		"top": last["top"].(int) + panelHeight + shareAbove, "tooltip": map[string]any{"trigger": "item", "formatter": opts.FuncOpts(readingShare)}})
	f.Height += shareAbove + height
	at := fmt.Sprintf("yAxis.%d.", axes)
	f.set(at+"inverse", true)
	f.set(at+"axisTick", off())
	f.set(at+"axisLabel", map[string]any{"show": len(n.names) > 1, "inside": true, "align": "left", "verticalAlign": "bottom", "margin": 0, "padding": []int{0, 0, 10, 4}, "color": inkText, "fontSize": 12})
}
