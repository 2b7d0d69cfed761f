package plots

import (
	"fmt"
	"html"
	"math"
	"slices"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Scores draws how models do in tasks, a row for each model, by task: a point at the accuracy with a line of one standard error to
// either side, and dashed where guessing is, as far as that is known. Tasks and models stand in the order in which they come.
func Scores(scores ...slm.Score) Figure { return scoresFigure(scoresNumbers(scores)) }

// scoreRows are the rows from the top; each task begins with one for its name.
type scoreRows struct {
	labels    []string
	tasks     []int // the rows of their names
	models    []string
	points    []scorePoint
	guesses   []guess
	low, high float64 // of the axis, in percent
}

type scorePoint struct {
	row, model    int
	value, stdErr float64 // in percent
}

// guess is what guessing scores in the rows of a task.
type guess struct {
	value       float64 // in percent
	first, last int
}

func scoresNumbers(scores []slm.Score) scoreRows {
	n := scoreRows{low: 100}
	var tasks []string
	for _, s := range scores {
		if !slices.Contains(tasks, s.Task) {
			tasks = append(tasks, s.Task)
		}
		if !slices.Contains(n.models, s.Model) {
			n.models = append(n.models, s.Model)
		}
	}
	for _, task := range tasks {
		n.tasks, n.labels = append(n.tasks, len(n.labels)), append(n.labels, task)
		g := guess{first: len(n.labels)}
		for _, s := range scores {
			if s.Task != task {
				continue
			}
			p := scorePoint{len(n.labels), slices.Index(n.models, s.Model), 100 * s.Accuracy, 100 * s.StdErr}
			g.value, g.last = 100*s.Chance, p.row
			n.low, n.high = min(n.low, p.value-p.stdErr), max(n.high, p.value+p.stdErr)
			n.points, n.labels = append(n.points, p), append(n.labels, s.Model)
		}
		if g.value > 0 {
			n.guesses = append(n.guesses, g)
			n.low, n.high = min(n.low, g.value), max(n.high, g.value)
		}
	}
	n.low, n.high = max(0, 10*math.Floor(n.low/10)), min(100, 10*math.Ceil((n.high+2)/10)) // room for the last number
	return n
}

func (n scoreRows) caption() string {
	switch len(n.guesses) {
	case 0:
		return "Lines: one standard error."
	case 1:
		return fmt.Sprintf("Lines: one standard error. Dashed: guessing, %.0f%%.", n.guesses[0].value)
	}
	return "Lines: one standard error. Dashed: guessing."
}

// The parts of a row: of a point its value, its row and its standard error; of a guess its value and its first and last row.
const (
	whiskerPart = `function(p,api){var c=api.coord([api.value(0),api.value(1)]),w=api.size([api.value(2),0])[0],k=api.visual("color");return{type:"group",children:[` +
		`{type:"rect",shape:{x:c[0]-w,y:c[1]-1,width:2*w,height:2},style:{fill:k}},{type:"circle",shape:{cx:c[0],cy:c[1],r:5},style:{fill:k}}]}}`
	accuracyPart = `function(p,api){var c=api.coord([api.value(0),api.value(1)]);return{type:"text",silent:true,x:c[0]+api.size([api.value(2),0])[0]+9,y:c[1],` +
		`style:{text:api.value(0).toFixed(1)+"%",fill:api.visual("color"),fontSize:12,align:"left",verticalAlign:"middle"}}}`
	guessPart = `function(p,api){var h=api.size([0,1])[1]/2,a=api.coord([api.value(0),api.value(1)]),b=api.coord([api.value(0),api.value(2)]);` +
		`return{type:"line",silent:true,shape:{x1:a[0],y1:a[1]-h,x2:b[0],y2:b[1]+h},style:{stroke:api.visual("color"),lineWidth:1.5,lineDash:[5,4],fill:null}}}`
)

const scoreRow = 26 // pixels

func scoresFigure(n scoreRows) Figure {
	const title = "Accuracy in tasks"
	if len(n.points) == 0 {
		return empty(title, "No task has been measured yet.")
	}
	chart := charts.NewCustom()
	add := func(name, colour, part string, data [][]any) {
		chart.MultiSeries = append(chart.MultiSeries, charts.SingleSeries{Name: name, Type: "custom", Data: data, ItemStyle: &opts.ItemStyle{Color: colour},
			RenderItem: opts.FuncOpts(part)})
	}
	var guesses, numbers [][]any
	for _, g := range n.guesses {
		guesses = append(guesses, []any{rounded(g.value, 2), g.first, g.last})
	}
	add("guessing", inkMuted, guessPart, guesses)
	for model, name := range n.models {
		var points [][]any
		for _, p := range n.points {
			if p.model == model {
				points = append(points, []any{rounded(p.value, 2), p.row, rounded(p.stdErr, 2)})
			}
		}
		add(html.EscapeString(name), colourOf(model), whiskerPart, points)
		numbers = append(numbers, points...)
	}
	add("accuracy", inkText, accuracyPart, numbers)
	chart.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Trigger: "item",
		Formatter: opts.FuncOpts(`function(p){return p.seriesName+" <b>"+p.value[0].toFixed(1)+"%</b> ± "+p.value[2].toFixed(1)}`)}))
	f := New(title, n.caption(), chart)
	n.place(&f)
	return f
}

// place lays the rows out: their labels at the left, the axis below.
func (n scoreRows) place(f *Figure) {
	const top, left, below = 62, 150, 56
	var labels []any
	for _, label := range n.labels {
		labels = append(labels, cut(label, 18))
	}
	for _, row := range n.tasks {
		labels[row] = map[string]any{"value": labels[row], "textStyle": map[string]any{"fontWeight": "bold", "color": inkText}}
	}
	body := scoreRow * len(n.labels)
	f.Height = top + body + below
	f.option["legend"] = off()
	f.option["grid"] = map[string]any{"left": left, "right": 24, "top": top, "height": body}
	f.option["xAxis"] = []any{map[string]any{"type": "value", "min": n.low, "max": n.high, "name": "accuracy", "nameLocation": "middle", "nameGap": 28,
		"axisLabel": map[string]any{"formatter": "{value}%"}}}
	f.option["yAxis"] = []any{map[string]any{"type": "category", "inverse": true, "data": labels, "axisTick": off(), "axisLine": off(), "splitLine": off(),
		"axisLabel": map[string]any{"interval": 0}}}
	f.dress()
}
