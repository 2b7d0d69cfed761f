package plots

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// dress adds what all figures share and the option does not say: inks, a tooltip that stays inside the cell.
func (f Figure) dress() {
	fill(f.option, map[string]any{
		"animation":       false,
		"backgroundColor": "transparent",
		"textStyle":       map[string]any{"color": inkText},
	})
	fill(f.option["tooltip"], map[string]any{
		"confine": true, "backgroundColor": inkPaper, "borderColor": inkMuted,
		"textStyle": map[string]any{"color": inkText, "fontSize": 12},
	})
	fill(f.option["toolbox"], map[string]any{"right": 8, "top": 4, "padding": 0, "itemSize": 14, "iconStyle": map[string]any{"borderColor": inkMuted}})
	fill(f.option["legend"], map[string]any{"textStyle": small(inkText), "inactiveColor": inkFaint})
	for _, name := range []string{"xAxis", "yAxis"} {
		axes, _ := f.option[name].([]any)
		for _, axis := range axes {
			dressAxis(axis)
		}
	}
}

// small is the style of all words but the title. Without a line height, browsers that lack some fonts space lines wide.
func small(ink string) map[string]any {
	return map[string]any{"color": ink, "fontSize": 12, "lineHeight": 15}
}

func dressAxis(axis any) {
	line := map[string]any{"lineStyle": map[string]any{"color": inkMuted}}
	fill(axis, map[string]any{
		"axisLabel":     small(inkText),
		"nameTextStyle": small(inkText),
		"axisLine":      line,
		"axisTick":      line,
		"splitLine":     map[string]any{"lineStyle": map[string]any{"color": inkFaint}},
	})
}

// fill adds what a node of the option does not say.
func fill(node any, defaults map[string]any) {
	into, ok := node.(map[string]any)
	if !ok {
		return
	}
	for name, value := range defaults {
		inner, nested := value.(map[string]any)
		switch {
		case into[name] == nil && nested:
			fresh := map[string]any{}
			fill(fresh, inner)
			into[name] = fresh
		case into[name] == nil:
			into[name] = value
		case nested:
			fill(into[name], inner)
		}
	}
}

// function finds what [github.com/go-echarts/go-echarts/v2/opts.FuncOpts] marks: a string that is JavaScript.
var function = regexp.MustCompile(`"__f__(?:[^"\\]|\\.)*?__f__"`)

// titleLeft is the space beside the words above a picture, in pixels; figure.js knows it too.
const titleLeft = 8

// script is the whole option as a JavaScript expression. It holds no "<" and may stand inside a page's script.
func (f Figure) script() (string, error) {
	if f.err != nil {
		return "", f.err
	}
	if f.option == nil {
		return "", fmt.Errorf("plots: the zero Figure has nothing to draw; make one with plots.Population, plots.Mask, plots.Curves or plots.New")
	}
	option := maps.Clone(f.option)
	option["title"] = map[string]any{
		"text": f.Title, "subtext": f.Caption, "left": titleLeft, "top": 6, "itemGap": 5,
		"textStyle":    map[string]any{"color": inkText, "fontSize": 15, "fontWeight": "bold", "lineHeight": 18},
		"subtextStyle": small(inkMuted),
	}
	fill(option["title"], map[string]any{"subtextStyle": map[string]any{"overflow": "break", "width": f.Width - 2*titleLeft}})
	text, err := json.Marshal(option)
	if err != nil {
		return "", fmt.Errorf("plots: figure %q: %w", f.Title, err)
	}
	return function.ReplaceAllStringFunc(string(text), unmark), nil
}

// unmark turns a marked JSON string into the JavaScript that it holds.
func unmark(marked string) string {
	var code string
	if err := json.Unmarshal([]byte(marked), &code); err != nil {
		return "null"
	}
	return code[len("__f__") : len(code)-len("__f__")]
}

// frame places a figure with one pair of axes: words above, legend below, in as many rows as a narrow cell needs. More than two make
// the figure higher.
func (f *Figure) frame() {
	series, _ := f.option["series"].([]any)
	var names []string
	for _, s := range series {
		if name, _ := s.(map[string]any)["name"].(string); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) < 2 { // nothing to tell apart
		names = nil
	}
	f.option["legend"] = map[string]any{"show": names != nil, "left": 8, "bottom": 4, "data": names, "itemGap": 18,
		"lineStyle": map[string]any{"opacity": 1, "width": 2.5}}
	f.addTools()
	// Without a filter: it would drop the upper part of a band, which is a difference, not a value of the axis.
	f.set("toolbox.feature.dataZoom", map[string]any{"filterMode": "none", "title": map[string]any{"zoom": "zoom into a box", "back": "back"}})
	rows := legendRows(names, 584)
	f.Height += legendRow * max(0, rows-2)
	f.option["grid"] = map[string]any{"left": 72, "right": 24, "top": 66, "bottom": 39 + legendRow*rows}
	f.dress()
}

// addTools adds the buttons above a figure.
func (f Figure) addTools() {
	f.option["toolbox"] = map[string]any{"feature": map[string]any{"restore": map[string]any{"title": "whole figure"},
		"saveAsImage": map[string]any{"title": "save as PNG", "name": "figure", "pixelRatio": 2}}}
}

// addBrush lets the reader select points: all others fade until the selection is cleared.
func (f Figure) addBrush() {
	f.set("toolbox.feature.brush", map[string]any{"type": []string{"rect", "polygon", "clear"},
		"title": map[string]any{"rect": "select points in a box", "polygon": "select points freely", "clear": "clear the selection"}})
	f.option["brush"] = map[string]any{"xAxisIndex": 0, "outOfBrush": map[string]any{"colorAlpha": 0.15},
		"brushStyle": map[string]any{"borderWidth": 1, "borderColor": inkMuted, "color": "rgba(128,128,128,0.12)"}}
}

// legendRow is the height of one, in pixels.
const legendRow = 35

// legendRows estimates the rows of a legend in a given width, in pixels.
func legendRows(names []string, width int) int {
	rows, used := min(1, len(names)), 0
	for _, name := range names {
		size := 30 + 18 + 13*len([]rune(name))/2
		if used > 0 && used+size > width {
			rows, used = rows+1, 0
		}
		used += size
	}
	return rows
}

// mostCaption is how many letters a caption may have in a figure of 600 pixels.
const mostCaption = 92

// fitted is a caption with the remarks that have room.
func fitted(caption string, remarks ...string) string {
	for _, remark := range remarks {
		if longer := caption + " " + remark; len([]rune(longer)) <= mostCaption {
			caption = longer
		}
	}
	return caption
}
