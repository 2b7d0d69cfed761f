package plots

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// MaskHistory draws how the mask changes while a search goes on: the best candidate of each generation over that of the
// generation before, in the manner of [Overlap], with a slider for the generations that also plays them. The static picture
// shows the last one. Of a long search, or a large teacher, it shows only some generations, evenly spread.
func MaskHistory(p slm.Population) Figure {
	for _, c := range p.Candidates {
		if err := c.Subnet.Validate(p.Teacher); err != nil {
			return notOf("Mask by generation", p.Teacher, fmt.Sprintf("candidate #%d", c.ID), err)
		}
	}
	return maskHistoryFigure(maskHistoryNumbers(p))
}

// maskHistory has a frame for each generation that is shown.
type maskHistory struct {
	name   string
	frames []maskFrame
	stays  float64 // share of their parameters that the first and the last mask have in common
}

// maskFrame compares a generation's best candidate with that of the frame before, the first with itself.
type maskFrame struct {
	overlap
	best slm.Candidate
}

// changes are the words for what a mask keeps of the one before it.
var changes = [4]string{"kept as before", "dropped", "new", "not kept"}

// changeInks are the colours of the first three.
var changeInks = []string{inkMuted, categorical[1], categorical[0]}

// Bounds of what is shown: so many frames, and so many bytes of all together.
const (
	mostFrames     = 40
	mostFrameBytes = 180_000
)

func maskHistoryNumbers(p slm.Population) maskHistory {
	n := maskHistory{name: p.Name}
	bests := slices.DeleteFunc(p.GenerationBests(), slm.Candidate.Failed)
	if len(bests) == 0 {
		return n
	}
	frame := func(before, best slm.Candidate) maskFrame {
		return maskFrame{overlapNumbers(p.Teacher, before.Subnet, best.Subnet, changes), best}
	}
	first, last := bests[0], bests[len(bests)-1]
	all := frame(first, last)
	n.stays = all.Parameters.Jaccard()
	before := first
	for _, best := range spread(bests, min(mostFrames, mostFrameBytes/all.bytes())) {
		n.frames = append(n.frames, frame(before, best))
		before = best
	}
	return n
}

// bytes is what a frame weighs.
func (f maskFrame) bytes() int {
	text, _ := json.Marshal(f.option()) // our own words and numbers always marshal
	return len(text)
}

func (n maskHistory) caption() string {
	switch len(n.frames) {
	case 0:
		return "No candidate has been evaluated yet."
	case 1:
		return "One generation so far: nothing to compare its best candidate with."
	}
	first, last := n.frames[0].best, n.frames[len(n.frames)-1].best
	return fmt.Sprintf("Generation %d to %d: perplexity %s to %s; the two best share %s of their parameters.",
		first.Generation, last.Generation, perplexityOf(first.Loss), perplexityOf(last.Loss), percent(n.stays))
}

// story is the line above the slider.
func (f maskFrame) story() string {
	return fmt.Sprintf("Generation %d: #%d, perplexity %s, %s parameters (%s new), %d layers", f.best.Generation, f.best.ID, perplexityOf(f.best.Loss),
		slm.Count(int64(f.Parameters.Both+f.Parameters.Second)), slm.Count(int64(f.Parameters.Second)), f.Layers.Both+f.Layers.Second)
}

// sliderHeight is the room for the slider and the line above it, in pixels.
const sliderHeight = 66

func maskHistoryFigure(n maskHistory) Figure {
	title := strings.TrimSpace("Mask by generation " + n.name)
	if len(n.frames) == 0 {
		return empty(title, n.caption())
	}
	last := n.frames[len(n.frames)-1]
	last.units.pale = nil // the axis does not change with the frame
	names := changes[:3]
	chart := last.units.chart(last.tooltip())
	chart.MultiSeries = append(chart.MultiSeries, last.units.levels(names, changeInks)...)
	f := New(title, n.caption(), chart)
	last.units.place(&f, map[string]any{"data": names, "bottom": sliderHeight})
	f.Height += sliderHeight
	n.slide(&f)
	return f
}

// slide adds the frames and their slider, an ECharts timeline.
func (n maskHistory) slide(f *Figure) {
	var options []any
	var generations []string
	for _, frame := range n.frames {
		generations = append(generations, strconv.Itoa(frame.best.Generation))
		options = append(options, frame.option())
	}
	f.option["options"] = options
	ink := func(ink string) map[string]any { return map[string]any{"color": ink, "borderColor": ink} }
	f.option["timeline"] = map[string]any{
		"axisType": "category", "data": generations, "currentIndex": len(options) - 1, "playInterval": 1000, "loop": false,
		"left": titleLeft, "right": titleLeft, "bottom": 0, "height": 24, "symbolSize": 8,
		"label":           map[string]any{"color": inkText, "fontSize": 11, "position": 14},
		"lineStyle":       map[string]any{"color": inkFaint, "width": 2},
		"itemStyle":       map[string]any{"color": inkMuted, "borderWidth": 0},
		"checkpointStyle": map[string]any{"color": categorical[0], "borderColor": inkPaper, "borderWidth": 2, "size": 14},
		"controlStyle":    map[string]any{"itemSize": 16, "color": inkMuted, "borderColor": inkMuted},
		"progress":        map[string]any{"lineStyle": map[string]any{"color": inkMuted}, "itemStyle": ink(inkMuted), "label": ink(inkText)},
		"emphasis":        map[string]any{"itemStyle": ink(categorical[0]), "controlStyle": ink(inkText), "label": ink(inkText)},
	}
}

// option is what a frame changes.
func (f maskFrame) option() map[string]any {
	var series []any
	for i, p := range f.units.all() {
		series = append(series, map[string]any{"id": rowID(i, groundName, inkFaint), "data": packed(p.track, false)})
		for level, name := range changes[:3] {
			series = append(series, map[string]any{"id": rowID(i, name, changeInks[level]), "data": packed(p.ofLevel(level+1), false)})
		}
	}
	story := map[string]any{"text": f.story(), "left": titleLeft, "bottom": sliderHeight - 22, "textStyle": map[string]any{"fontWeight": "normal"}}
	fill(story, map[string]any{"textStyle": small(inkText)})
	return map[string]any{"series": series, "title": []any{map[string]any{}, story},
		"tooltip": map[string]any{"formatter": "__f__" + f.tooltip() + "__f__"}}
}
