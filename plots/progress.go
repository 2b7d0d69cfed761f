package plots

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Progress draws searches that were repeated with several seeds: the lowest loss so far against the evaluations, a line for
// the mean over the seeds and a band from the best seed to the worst. Searches have the colours in which they are given.
func Progress(searches ...slm.Repeated) Figure {
	return progressFigure(progressNumbers(searches))
}

// progress is one line with its band; spreads[i] is after i+1 evaluations.
type progressLine struct {
	name    string
	seeds   int
	spreads []slm.Spread
	level   []bool // where no line changes: nothing is drawn there
}

type progressLines struct {
	common string // what the searches have in common, such as "30M coarse-uniform"
	lines  []progressLine
	top    float64 // where the axis of losses ends, if the first draws must not stretch it
}

func progressNumbers(searches []slm.Repeated) progressLines {
	common, names := labels(searches)
	n := progressLines{common: common}
	var losses []float64
	for i, r := range searches {
		n.lines = append(n.lines, progressLine{name: names[i], seeds: len(r.Searches), spreads: r.Progress()})
		for _, s := range n.lines[i].spreads {
			if drawable(s.Max) {
				losses = append(losses, s.Max)
			}
		}
	}
	level := n.level()
	for i := range n.lines {
		n.lines[i].level = level
	}
	slices.Sort(losses)
	n.top = fence(losses)
	return n
}

// level are the evaluations before and after which all lines are as they are there: most, in a long search. All lines are drawn at
// the same ones, since a tooltip tells of the lines that have a point below it.
func (n progressLines) level() (level []bool) {
	for _, l := range n.lines {
		last := len(l.spreads) - 1
		for i, s := range l.spreads {
			if i >= len(level) {
				level = append(level, true)
			}
			level[i] = level[i] && i > 0 && i < last && l.spreads[i-1] == s && l.spreads[i+1] == s
		}
	}
	return level
}

// highest is the highest loss that a band reaches.
func (n progressLines) highest() (highest float64) {
	for _, l := range n.lines {
		for _, p := range l.points(func(s slm.Spread) float64 { return s.Max }) {
			highest = max(highest, p[1])
		}
	}
	return highest
}

// labels names searches by what tells them apart.
func labels(searches []slm.Repeated) (common string, names []string) {
	parts := func(r slm.Repeated) [3]string { return [3]string{r.Bin.Middle(), r.Space, r.Variant} }
	var same []string
	names = make([]string, len(searches))
	for part := range 3 {
		differs := false
		for _, r := range searches {
			differs = differs || parts(r)[part] != parts(searches[0])[part]
		}
		if !differs && len(searches) > 0 {
			same = append(same, parts(searches[0])[part])
			continue
		}
		for i, r := range searches {
			names[i] = strings.TrimSpace(names[i] + " " + parts(r)[part])
		}
	}
	if len(searches) == 1 {
		names[0] = searches[0].Variant
	}
	return strings.Join(same, " "), names
}

func (l progressLine) last() (slm.Spread, bool) {
	if len(l.spreads) == 0 {
		return slm.Spread{}, false
	}
	return l.spreads[len(l.spreads)-1], true
}

// caption says which line is lowest at the end.
func (n progressLines) caption() string {
	leader := -1
	for i, l := range n.lines {
		end, ok := l.last()
		if !ok {
			continue
		}
		if leader < 0 || end.Mean < n.lines[leader].spreads[len(n.lines[leader].spreads)-1].Mean {
			leader = i
		}
	}
	if leader < 0 {
		return "No search has been finished yet."
	}
	l := n.lines[leader]
	end, _ := l.last()
	first := "Lower is better."
	if n.highest() > n.top {
		first = fmt.Sprintf("Begins at %.1f.", n.highest())
	}
	return fmt.Sprintf("%s Band: all seeds. Lowest: %s, %.3f after %d evaluations (%s).",
		first, cut(l.name, 32), end.Mean, len(l.spreads), counted(l.seeds, "seed"))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// readingProgress is the tooltip of an evaluation: each search's mean there.
const readingProgress = `function(ps){if(!ps.length)return"";var e=echarts.format.encodeHTML;return"<b>evaluation "+ps[0].axisValue+"</b>"+ps.filter(function(p){` +
	`return p.seriesId.charAt(0)==="m"}).map(function(p){return"<br>"+p.marker+e(p.seriesName)+" <b>"+p.value[1].toFixed(3)+"</b>"}).join("")}`

func progressFigure(n progressLines) Figure {
	chart := charts.NewLine()
	longest := 1
	for _, l := range n.lines {
		longest = max(longest, len(l.spreads))
	}
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "axis", Formatter: opts.FuncOpts(readingProgress)}),
		charts.WithXAxisOpts(opts.XAxis{Type: "value", Name: "evaluations", NameLocation: "middle", NameGap: 30, Min: 0, Max: longest,
			MinInterval: 1, SplitLine: &opts.SplitLine{Show: opts.Bool(false)}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: "lowest loss so far (nats per token)", NameLocation: "middle", NameGap: 44, Scale: opts.Bool(true)}),
	)
	for i, l := range n.lines {
		chart.MultiSeries = append(chart.MultiSeries, band(fmt.Sprint(i), l.name, colourOf(i), 0.18, l.points(func(s slm.Spread) float64 { return s.Min }),
			l.points(func(s slm.Spread) float64 { return s.Max - s.Min }))...)
	}
	for i, l := range n.lines {
		chart.MultiSeries = append(chart.MultiSeries, l.mean(i))
	}
	title := strings.TrimSpace("Progress " + n.common)
	f := New(title, n.caption(), chart)
	f.frame()
	f.set("grid.right", 64)
	f.set("xAxis.0.axisLabel.showMaxLabel", longest <= 10 || longest%5 == 0) // beside a round number another one has no room
	if n.highest() > n.top {
		f.set("yAxis.0.max", rounded(n.top, 4))
		f.set("yAxis.0.axisLabel.showMaxLabel", false)
	}
	for i, l := range n.lines {
		if end, ok := l.last(); ok {
			f.labelEnd(2*len(n.lines)+i, colourOf(i), sample{loss: end.Mean})
		}
	}
	return f
}

func (l progressLine) mean(i int) charts.SingleSeries {
	s := lineOf(i, l.name, 2.5, l.points(func(s slm.Spread) float64 { return s.Mean }), len(l.spreads) <= 1)
	s.Id = fmt.Sprintf("m%d", i)
	return s
}

// points leaves out the evaluations before every seed has a finite loss, and those where nothing changes.
func (l progressLine) points(of func(slm.Spread) float64) [][2]float64 {
	var out [][2]float64
	for i, s := range l.spreads {
		if !l.level[i] && !math.IsInf(s.Max, 0) && !math.IsNaN(s.Mean) {
			out = append(out, [2]float64{float64(i + 1), rounded(of(s), 4)})
		}
	}
	return out
}
