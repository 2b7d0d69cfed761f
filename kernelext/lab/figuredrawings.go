package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/plots"
	"github.com/offshoot-ml/offshoot/slm"
)

// drawing is a figure of a lab's page.
type drawing struct {
	name  string // of its files
	lacks string // why the lab has no data for it; "" where it has
	draw  func() plots.Figure
}

// drawings are all figures of package plots, in the order of the page.
func (r *records) drawings() []drawing {
	return slices.Concat(r.ofSearch(), r.ofSearches(), r.ofSubnets(), r.ofTraining(), r.ofText())
}

// unless is a reason, or none.
func unless(has bool, format string, args ...any) string {
	if has {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// needsSearch is why there is nothing to draw of the search.
func (r *records) needsSearch() string {
	best := r.Search.Best()
	return unless(len(r.Search.Candidates) > 0 && best.Failure == "" && !math.IsInf(best.Loss, 0), "the lab has no search with a candidate that could be judged")
}

// mostParts are the candidates whose parameters are drawn side by side, and that count as the best.
const mostParts = 8

func (r *records) ofSearch() []drawing {
	p, lacks := r.Search, r.needsSearch()
	elites := slm.Elites(p.Candidates, min(mostParts, len(p.Candidates)))
	measured := slices.ContainsFunc(p.Candidates, func(c slm.Candidate) bool { return c.Latency > 0 })
	return []drawing{
		{"population", lacks, func() plots.Figure { return plots.Population(p) }},
		{"population-by-flops", lacks, func() plots.Figure { return plots.PopulationBy(p, slm.MinimizeFLOPs) }},
		{"population-by-kv-cache", lacks, func() plots.Figure { return plots.PopulationBy(p, slm.MinimizeKVCache) }},
		{"population-by-latency", cmp.Or(lacks, unless(measured, "no candidate's latency was measured")),
			func() plots.Figure { return plots.PopulationBy(p, slm.MinimizeLatency) }},
		{"history", lacks, func() plots.Figure { return plots.History(p) }},
		{"history-by-time", lacks, func() plots.Figure { return plots.HistoryByTime(p) }},
		{"ancestry", lacks, func() plots.Figure { return plots.Ancestry(p) }},
		{"parallel-coordinates", lacks, func() plots.Figure { return plots.ParallelCoordinates(p) }},
		{"parts", lacks, func() plots.Figure { return plots.Parts(p.Teacher, elites...) }},
		{"diversity", lacks, func() plots.Figure { return plots.Diversity(p) }},
		{"prediction", cmp.Or(lacks, unless(p.Name != "" && len(p.Trained(r.All...)) > 0, "no run trains a candidate of the search")),
			func() plots.Figure { return plots.Prediction(p, r.All...) }},
	}
}

func (r *records) ofSearches() []drawing {
	var alike slm.Found // in the bin of the search
	var spaces []string
	var warm []slm.Population
	for _, repeated := range r.Searches {
		if repeated.Bin != r.Search.Search.Bin {
			continue
		}
		alike, spaces = append(alike, repeated), append(spaces, repeated.Space)
		for _, p := range repeated.Searches {
			if !p.Search.Warm.IsZero() {
				warm = append(warm, p)
			}
		}
	}
	slices.Sort(spaces)
	several := len(slices.Compact(spaces)) > 1
	return []drawing{
		{"progress", unless(len(alike) > 0, "the lab has no finished search"), func() plots.Figure { return plots.Progress(alike...) }},
		{"spaces", unless(several, "the lab has no finished searches of one bin in several spaces"),
			func() plots.Figure { return plots.Spaces(alike, r.Search.Search.Bin) }},
		{"correlation", unless(len(warm) > 0, "no finished search of the bin trains its candidates before it judges them"),
			func() plots.Figure { return plots.Correlation(warm...) }},
	}
}

// references are published models that the figure of architectures sets beside the teacher: those of its family that are nearest in size.
const references = 3

func (r *records) ofSubnets() []drawing {
	p, lacks := r.Search, r.needsSearch()
	best := slm.Elites(p.Candidates, min(2, len(p.Candidates)))
	scores := r.Importance
	layers := scores
	layers.Heads, layers.QueryGroups, layers.FFN, layers.Embd = nil, nil, nil, nil
	return []drawing{
		{"mask", lacks, func() plots.Figure { return plots.Mask(p.Teacher, best[0].Subnet) }},
		{"overlap", cmp.Or(lacks, unless(len(best) > 1, "the search has only one candidate")),
			func() plots.Figure { return plots.Overlap(p.Teacher, best[0].Subnet, best[1].Subnet) }},
		{"kept", lacks, func() plots.Figure { return plots.Kept(p.Teacher, p.Candidates) }},
		{"mask-history", lacks, func() plots.Figure { return plots.MaskHistory(p) }},
		{"importance", r.Measured[importanceRecord], func() plots.Figure { return plots.Importance(r.teacher(), scores) }},
		{"layer-importance", cmp.Or(r.Measured[importanceRecord], unless(layers.Layers != nil, "the teacher's layers were not measured")),
			func() plots.Figure { return plots.LayerImportance(r.teacher(), layers) }},
		{"architectures", unless(len(r.Runs) > 0 || lacks == "", "the lab has neither a search nor a run"), r.architectures},
	}
}

// teacher is the search's, or the runs'.
func (r *records) teacher() slm.Config {
	if r.Search.Name == "" && len(r.Runs) > 0 {
		return r.Runs[0].Teacher
	}
	return r.Search.Teacher
}

// architectures compares the teacher with published models, the best candidate and the students.
func (r *records) architectures() plots.Figure {
	teacher := r.teacher()
	others := publishedNear(teacher)
	if r.needsSearch() == "" {
		others = append(others, r.Search.Best().Subnet.Architecture(teacher, "best found"))
	}
	seen := map[string]bool{r.Search.Best().Subnet.Normalize(teacher).Key(): true}
	for _, c := range r.Runs {
		if key := c.Distillation.Subnet.Normalize(c.Teacher).Key(); !seen[key] && c.Teacher.Name == teacher.Name {
			seen[key] = true
			others = append(others, c.Distillation.Subnet.Architecture(teacher, c.Name))
		}
	}
	return plots.Architectures(teacher, others...)
}

// publishedNear are the published models of a family whose sizes are nearest to a teacher's, without itself, the smallest first.
func publishedNear(teacher slm.Config) (near []slm.Architecture) {
	for _, name := range slm.PublishedNames() {
		if c, err := slm.Published(name); err == nil && c.Family == teacher.Family && c.Name != teacher.Name {
			near = append(near, c.Architecture())
		}
	}
	size := math.Log(float64(teacher.Architecture().Parameters.Total()))
	distance := func(a slm.Architecture) float64 { return math.Abs(math.Log(float64(a.Parameters.Total())) - size) }
	slices.SortFunc(near, func(a, b slm.Architecture) int { return cmp.Compare(distance(a), distance(b)) })
	near = near[:min(references, len(near))]
	slices.SortFunc(near, func(a, b slm.Architecture) int { return cmp.Compare(a.Parameters.Total(), b.Parameters.Total()) })
	return near
}

// costs are the axes of training, with the names of their files.
var costs = []struct {
	name string
	cost plots.Cost
}{{"steps", plots.Steps}, {"tokens", plots.Tokens}, {"flops", plots.FLOPs}, {"time", plots.Time}}

func (r *records) ofTraining() []drawing {
	runs := shortened(r.Runs)
	lacks := unless(len(runs) > 0, "the lab has no run with a step")
	baseline := cmp.Or(lacks, unless(len(runs) > 1 && fromRandom(runs[0]) == 1, "no run from random weights is compared with another run"))
	var out []drawing
	for _, c := range costs {
		out = append(out, drawing{"curves-by-" + c.name, lacks, func() plots.Figure { return plots.CurvesBy(c.cost, runs...) }})
	}
	for _, c := range costs[1:] { // batches may differ
		out = append(out, drawing{"saved-" + c.name, baseline, func() plots.Figure { return plots.Saved(c.cost, runs...) }})
	}
	return append(out,
		drawing{"dynamics", lacks, func() plots.Figure { return plots.Dynamics(runs...) }},
		drawing{"savings", unless(len(r.Savings) > 0, "the lab has no finished seed of `lab bench distill` with this search"),
			func() plots.Figure { return plots.Savings(r.Savings...) }},
		drawing{"scores", unless(len(r.Scores) > 0, "no student of these runs was asked in tasks with right and wrong answers"), r.scores})
}

// scores draws accuracies under the runs' short names.
func (r *records) scores() plots.Figure {
	scores, common := slices.Clone(r.Scores), commonName(r.Runs)
	for i := range scores {
		scores[i].Model = strings.TrimPrefix(scores[i].Model, common)
	}
	return plots.Scores(scores...)
}

// shortened are runs without what all their names begin with: a legend has little room.
func shortened(runs []slm.Curve) []slm.Curve {
	out := slices.Clone(runs)
	for i := range out {
		out[i].Name = strings.TrimPrefix(out[i].Name, commonName(runs))
	}
	return out
}

// commonName is what the names of several runs begin with, up to a hyphen.
func commonName(runs []slm.Curve) string {
	if len(runs) < 2 {
		return ""
	}
	common := runs[0].Name
	for _, c := range runs[1:] {
		for !strings.HasPrefix(c.Name, common) {
			common = common[:len(common)-1]
		}
	}
	return common[:strings.LastIndex(common, "-")+1]
}

func (r *records) ofText() []drawing {
	both := func(n int, why string) string { return unless(n > 1, "%s", why) }
	one := func(n int, why string) string { return unless(n > 0, "%s", why) }
	unpredicted, unattended, common := r.Measured[predictedRecord], r.Measured[attentionRecord], commonName(r.Runs)
	predicted, attention := slices.Clone(r.Predicted), slices.Clone(r.Attention)
	for i := range predicted {
		predicted[i].Model = strings.TrimPrefix(predicted[i].Model, common)
	}
	for i := range attention {
		attention[i].Model = strings.TrimPrefix(attention[i].Model, common)
	}
	return []drawing{
		{"text", one(len(predicted), unpredicted), func() plots.Figure { return plots.Text(predicted[0]) }},
		{"text-difference", both(len(predicted), unpredicted), func() plots.Figure { return plots.Text(predicted[0], predicted[1]) }},
		{"next-tokens", one(len(predicted), unpredicted), func() plots.Figure { return plots.NextTokens(len(predicted[0].Tokens)/2, predicted...) }},
		{"attention", one(len(attention), unattended), func() plots.Figure { return plots.Attention(attention[0]) }},
		{"attention-of-both", both(len(attention), unattended), func() plots.Figure { return plots.Attention(attention[0], attention[1]) }},
	}
}
