package plots

import (
	"fmt"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Diversity draws how different the candidates of each generation are: for each kind of unit the mean Jaccard distance of what two
// of them keep, see [slm.DiversityOf]. A search whose lines fall to 0 has settled on one architecture.
func Diversity(p slm.Population) Figure { return diversityFigure(diversityNumbers(p)) }

// diversity has a line for each kind of unit that differs anywhere.
type diversity struct {
	name  string
	last  int // generation
	lines []diversityLine
}

type diversityLine struct {
	name   string
	points [][2]float64 // generation, distance
}

// mostGenerations bounds the points of a line.
const mostGenerations = 150

func diversityNumbers(p slm.Population) diversity {
	lines := []diversityLine{{name: "layers"}, {name: "embedding"}, {name: "heads"}, {name: "head dimensions"}, {name: "FFN neurons"}}
	n, differ := diversity{name: p.Name}, make([]bool, len(lines))
	for _, g := range thinned(p.ByGeneration(), mostGenerations) {
		d := slm.DiversityOf(p.Teacher, g)
		if d.Pairs == 0 {
			continue
		}
		n.last = g[0].Generation
		for i, distance := range []float64{d.Layers, d.Embd, d.Heads, d.HeadSize, d.FFN} {
			lines[i].points = append(lines[i].points, [2]float64{float64(n.last), rounded(distance, 4)})
			differ[i] = differ[i] || distance > 0
		}
	}
	for i, l := range lines {
		// Head dimensions that are all kept everywhere differ only as the layers do.
		if differ[i] && !(i == 3 && sameLine(l, lines[0])) {
			n.lines = append(n.lines, l)
		}
	}
	return n
}

func sameLine(a, b diversityLine) bool {
	for i := range a.points {
		if a.points[i] != b.points[i] {
			return false
		}
	}
	return true
}

// caption tells of the kind that changed most.
func (n diversity) caption() string {
	if len(n.lines) == 0 {
		return "No two candidates of a generation differ yet."
	}
	change := func(l diversityLine) float64 { return l.points[0][1] - l.points[len(l.points)-1][1] }
	most := n.lines[0]
	for _, l := range n.lines {
		if max(change(l), -change(l)) > max(change(most), -change(most)) {
			most = l
		}
	}
	if len(most.points) == 1 {
		return "1: nothing in common, 0: all the same."
	}
	return fmt.Sprintf("1: nothing in common, 0: all the same. Most changed: %s, from %.2f to %.2f.", most.name, most.points[0][1], most.points[len(most.points)-1][1])
}

// readingDiversity is the tooltip of a generation.
const readingDiversity = `function(ps){if(!ps.length)return"";return"<b>generation "+ps[0].value[0]+"</b>"+ps.map(function(p){` +
	`return"<br>"+p.marker+p.seriesName+" <b>"+p.value[1].toFixed(3)+"</b>"}).join("")}`

func diversityFigure(n diversity) Figure {
	chart := charts.NewLine()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "axis", Formatter: opts.FuncOpts(readingDiversity)}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: "generation", NameLocation: "middle", NameGap: 30, Min: 0, Max: max(1, n.last),
			SplitLine: &opts.SplitLine{Show: opts.Bool(false)}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: "mean Jaccard distance", NameLocation: "middle", NameGap: 40, Min: 0, Max: 1}),
	)
	for i, l := range n.lines {
		chart.MultiSeries = append(chart.MultiSeries, lineOf(i, l.name, 2, l.points, len(l.points) <= 40))
	}
	f := New(strings.TrimSpace("Diversity "+n.name), n.caption(), chart)
	f.frame()
	f.setGenerations(n.last)
	return f
}

// setGenerations marks whole generations, at most a dozen.
func (f Figure) setGenerations(last int) {
	marks := []int{}
	for g := 0; g <= last; g += last/12 + 1 {
		marks = append(marks, g)
	}
	setTicks(f, "xAxis.0", marks)
}
