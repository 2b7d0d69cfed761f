package plots

import "fmt"

// arrow says how much less a line costs until it reaches a loss: it leads from a cost to another, with words.
type arrow struct {
	series        int // whose it is
	colour, words string
	tail, head    float64
}

// arrowRow is the height of an arrow with its words, in pixels.
const arrowRow = 22

// arrows draws each in a row of its own below the curves, with thin lines from its ends up to the loss, and makes the figure as
// much higher.
func (f *Figure) arrows(s lossScale, loss float64, arrows []arrow) {
	grid := f.option["grid"].(map[string]any)
	plot := f.Height - grid["top"].(int) - grid["bottom"].(int)
	row := arrowRow * (s.high - s.low) / float64(plot)
	f.Height += arrowRow * len(arrows)
	bottom := rounded(s.low-row*float64(len(arrows)), 6)
	f.set("yAxis.0.min", bottom)
	f.set("yAxis.1.min", bottom)
	for i, a := range arrows {
		f.set(fmt.Sprintf("series.%d.markLine", a.series), a.line(loss, rounded(s.low-row*(float64(i)+0.7), 6)))
	}
}

// line is the arrow at a height.
func (a arrow) line(loss, y float64) map[string]any {
	point := func(x, y float64) map[string]any { return map[string]any{"coord": []any{x, y}, "symbol": "none"} }
	tail, head := point(a.tail, y), point(a.head, y)
	head["symbol"], head["symbolSize"] = "arrow", 9
	tail["lineStyle"] = map[string]any{"color": a.colour, "width": 2, "type": "solid"}
	tail["label"] = map[string]any{"show": true, "position": "middle", "formatter": a.words, "color": inkText,
		"fontSize": 12, "fontWeight": "bold", "lineHeight": 14}
	return map[string]any{"silent": true, "label": map[string]any{"show": false},
		"lineStyle": map[string]any{"color": inkMuted, "width": 1, "type": "dotted"},
		"data":      []any{[]any{tail, head}, []any{point(a.tail, loss), point(a.tail, y)}, []any{point(a.head, loss), point(a.head, y)}}}
}

// dash draws a loss to reach.
func (f Figure) dash(series int, loss float64) {
	f.set(fmt.Sprintf("series.%d.markLine", series), map[string]any{"silent": true, "symbol": "none",
		"lineStyle": map[string]any{"type": "dashed", "color": inkMuted, "width": 1}, "label": map[string]any{"show": false},
		"data": []any{map[string]any{"yAxis": rounded(loss, 4)}}})
}

// logTicks gives a logarithmic horizontal axis round ticks.
func (f Figure) logTicks(low, high float64) {
	setTicks(f, "xAxis.0", logTicks(low, high))
}
