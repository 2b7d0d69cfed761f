package plots

import (
	"fmt"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/offshoot-ml/offshoot/slm"
)

// Parts draws where the parameters of candidates are: a bar for each, made of its embedding, attention, FFN, norms and untied
// output head. Give it all candidates of a search, its [slm.Elites], or the best of each generation, [slm.Population.GenerationBests].
func Parts(teacher slm.Config, candidates ...slm.Candidate) Figure {
	return partsFigure(partsNumbers(teacher, candidates))
}

// partNames are the parts, from the input to the output; a bar is stacked in this order.
var partNames = []string{"embedding", "attention", "FFN", "norms", "head"}

// parts is what the figure shows.
type parts struct {
	bars  []bar
	drawn []int // parts that any candidate has: a tied head has no parameters of its own
	of    int   // candidates that were given
}

type bar struct {
	id, generation int
	loss           float64 // 0 without one
	counts         [5]int64
}

// mostBars bounds the bars; of more, they are taken evenly.
const mostBars = 60

func partsNumbers(teacher slm.Config, candidates []slm.Candidate) parts {
	n := parts{of: len(candidates)}
	var sums [5]int64
	for _, c := range thinned(candidates, mostBars) {
		p := c.Subnet.Parameters(teacher)
		b := bar{id: c.ID, generation: c.Generation, counts: [5]int64{p.Embedding, p.Attention, p.FFN, p.Norm, p.Head}}
		if placed(c) {
			b.loss = c.Loss
		}
		for i, count := range b.counts {
			sums[i] += count
		}
		n.bars = append(n.bars, b)
	}
	for i, sum := range sums {
		if sum > 0 {
			n.drawn = append(n.drawn, i)
		}
	}
	return n
}

func (b bar) total() (sum int64) {
	for _, count := range b.counts {
		sum += count
	}
	return sum
}

// shares is the range of a part over the bars, in parts of the total.
func (n parts) shares(part int) (low, high float64) {
	for i, b := range n.bars {
		share := float64(b.counts[part]) / float64(max(1, b.total()))
		if i == 0 {
			low, high = share, share
		}
		low, high = min(low, share), max(high, share)
	}
	return low, high
}

// caption tells of the part that takes most, and of the one that differs most.
func (n parts) caption() string {
	if len(n.drawn) == 0 {
		return "No candidate was given."
	}
	widest, largest := n.drawn[0], n.drawn[0]
	spread := func(part int) float64 { low, high := n.shares(part); return high - low }
	middle := func(part int) float64 { low, high := n.shares(part); return low + high }
	for _, part := range n.drawn {
		if spread(part) > spread(widest) {
			widest = part
		}
		if middle(part) > middle(largest) {
			largest = part
		}
	}
	text := fmt.Sprintf("Largest: %s, %s.", partNames[largest], n.percent(largest))
	var remarks []string
	if widest != largest && spread(widest) > 0 {
		remarks = append(remarks, fmt.Sprintf("Differs most: %s, %s.", partNames[widest], n.percent(widest)))
	}
	if len(n.bars) < n.of {
		remarks = append(remarks, fmt.Sprintf("Drawn: %d of %d.", len(n.bars), n.of))
	}
	return fitted(text, remarks...)
}

// percent is such as "31-45% of the parameters".
func (n parts) percent(part int) string {
	low, high := n.shares(part)
	from, to := fmt.Sprintf("%.0f", 100*low), fmt.Sprintf("%.0f", 100*high)
	if from == to {
		return to + "% of the parameters"
	}
	return from + "-" + to + "% of the parameters"
}

// readingParts is the tooltip of a bar; a datum is its place, its millions, the share, and the bar's candidate.
const readingParts = `function(ps){` + compactNumber + `if(!ps.length)return"";var v=ps[0].value,t=0;ps.forEach(function(p){t+=p.value[1]});` +
	`return"<b>candidate #"+v[3]+"</b>, generation "+v[4]+(v[5]?"<br>perplexity <b>"+n(Math.exp(v[5]))+"</b>":"")+"<br>"+t.toFixed(2)+" million parameters"+` +
	`ps.slice().reverse().map(function(p){return"<br>"+p.marker+p.seriesName+" <b>"+(100*p.value[2]).toFixed(1)+"%</b>, "+p.value[1].toFixed(3)+"M"}).join("")}`

func partsFigure(n parts) Figure {
	names := make([]string, len(n.bars))
	for i, b := range n.bars {
		names[i] = fmt.Sprintf("#%d", b.id)
		if len(n.bars) <= 12 {
			names[i] += fmt.Sprintf("\ngen %d", b.generation)
		}
	}
	chart := charts.NewBar()
	chart.SetGlobalOptions(
		charts.WithTooltipOpts(opts.Tooltip{Trigger: "axis", Formatter: opts.FuncOpts(readingParts), AxisPointer: &opts.AxisPointer{Type: "shadow"}}),
		charts.WithXAxisOpts(opts.XAxis{Type: "category", Name: "candidate", NameLocation: "middle", NameGap: 42}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", Name: "parameters (millions)", NameLocation: "middle", NameGap: 48}),
	)
	for _, part := range n.drawn {
		data := make([]any, len(n.bars))
		for i, b := range n.bars {
			data[i] = []any{i, rounded(float64(b.counts[part])/1e6, 4), rounded(float64(b.counts[part])/float64(max(1, b.total())), 4), b.id, b.generation, rounded(b.loss, 4)}
		}
		chart.MultiSeries = append(chart.MultiSeries, charts.SingleSeries{Name: partNames[part], Type: "bar", Data: data, Stack: "parts",
			BarMaxWidth: "48", BarCategoryGap: "20%", ItemStyle: &opts.ItemStyle{Color: colourOf(part)}})
	}
	f := New("Parameters by part", n.caption(), chart)
	f.frame()
	f.set("grid.bottom", 87) // room for names of two lines
	f.set("xAxis.0.data", names)
	return f
}
