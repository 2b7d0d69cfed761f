package plots

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/offshoot-ml/offshoot/slm/atomicfile"
)

// Figure is a picture that can be drawn in a browser and without one. Make it with a function of this package; change
// Title, Caption and the size at will.
type Figure struct {
	Title   string // short, above the picture
	Caption string // one line that says what to see
	Width   int    // of the static picture, in pixels; in a page the figure fills its cell, up to half more than this
	Height  int

	option map[string]any // what ECharts draws but for the title, with inks and functions still marked
	dark   bool           // the static picture
	err    error
}

// figureWidth is readable in a column of 600 pixels and does not look lost in one of 1,000.
const figureWidth = 720

// Chart is any chart of go-echarts, such as *charts.Bar.
type Chart interface {
	Validate()
	JSON() map[string]any
}

// New makes a figure of a go-echarts chart, so that charts which this package does not know also get a static picture,
// the reader's theme and a place below the cell. Colours of the chart may name the inks "$text", "$muted", "$faint" and
// "$paper". JavaScript functions work in both forms, as [github.com/go-echarts/go-echarts/v2/opts.FuncOpts].
func New(title, caption string, chart Chart) Figure {
	f := Figure{Title: title, Caption: caption, Width: figureWidth, Height: 420}
	chart.Validate()
	text, err := json.Marshal(chart.JSON())
	if err == nil {
		err = json.Unmarshal(text, &f.option)
	}
	if err != nil {
		f.err = fmt.Errorf("plots: figure %q: %w", title, err)
		return f
	}
	f.dress()
	return f
}

// empty is a figure of words: there is nothing to draw yet.
func empty(title, caption string) Figure {
	f := New(title, caption, charts.NewCustom())
	f.set("xAxis.0.show", false)
	f.set("yAxis.0.show", false)
	f.option["legend"] = off()
	f.Height = 60
	return f
}

// blank reports a figure that draws no data, be it of words or of axes alone: no series, in any moment of its slider, has a number.
func (f Figure) blank() bool {
	var drawn struct {
		Series  []struct{ Data json.RawMessage }
		Options []struct {
			Series []struct{ Data json.RawMessage }
		}
	}
	text, err := json.Marshal(map[string]any{"series": f.option["series"], "options": f.option["options"]})
	if err != nil || json.Unmarshal(text, &drawn) != nil {
		return false // its drawing will say why
	}
	series := drawn.Series
	for _, moment := range drawn.Options {
		series = append(series, moment.Series...)
	}
	return !slices.ContainsFunc(series, func(s struct{ Data json.RawMessage }) bool { return bytes.ContainsAny(s.Data, "0123456789") })
}

// Dark is the figure with a static picture on a dark sheet, for slides and pages that are dark. In a page that runs scripts, a
// figure takes the page's theme whatever its picture.
func (f Figure) Dark() Figure {
	f.dark = true
	return f
}

// set writes a field of the option that go-echarts has no type for, such as set("yAxis.0.axisLabel.customValues", …).
func (f Figure) set(path string, value any) {
	names := strings.Split(path, ".")
	var at any = f.option
	for i, name := range names {
		last := i == len(names)-1
		switch node := at.(type) {
		case map[string]any:
			if last {
				node[name] = value
				return
			}
			if node[name] == nil {
				node[name] = map[string]any{}
			}
			at = node[name]
		case []any:
			index, err := strconv.Atoi(name)
			if err != nil || index >= len(node) || last {
				panic(fmt.Sprintf("plots: no %q in the option", path))
			}
			at = node[index]
		default:
			panic(fmt.Sprintf("plots: no %q in the option", path))
		}
	}
}

// WriteFile writes the figure into a file: a picture for the extensions .svg and .png, the latter of twice its size, for .html a
// page that is interactive wherever it is opened, also without a network. The file is replaced only when it has been written in
// full.
func (f Figure) WriteFile(path string) error {
	var text string
	var err error
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".svg":
		text, err = f.SVG()
	case ".png":
		var png []byte
		png, err = f.PNG(2)
		text = string(png)
	case ".html", ".htm":
		text, err = Page(f.Title, f)
	default:
		return fmt.Errorf("plots: cannot write %q: the extension %q is none of .svg, .png and .html", path, ext)
	}
	if err != nil {
		return err
	}
	return writeWhole(path, text)
}

// writeWhole leaves no half file on a full disk.
func writeWhole(path, text string) error {
	if err := atomicfile.WriteBytes(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("plots: writing %s: %w", path, err)
	}
	return nil
}
