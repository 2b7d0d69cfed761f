package plots

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// attentionPlaces is where maps lie, in cells of a map.
type attentionPlaces struct {
	cells          int     // of a map, in a row
	pitchX, pitchY int     // from a map to the next
	above          int     // of a map, for its name
	width, height  int     // of all
	pixels         float64 // of a cell, at the width of a static picture
}

func (n attentionMaps) places() (p attentionPlaces) {
	const left, right, most = 74, 20, 440
	columns, rows := n.size()
	p.cells = len(n.tokens) + len(n.models) - 1
	gap := 1 + p.cells/12
	p.pitchX = p.cells + gap
	p.width = columns*p.pitchX - gap
	p.pixels = min((figureWidth-left-right)/float64(p.width), most/float64(p.cells))
	if n.columns == nil && len(n.maps) > 1 {
		p.above = int(math.Ceil(16 / p.pixels))
	}
	p.pitchY = p.above + len(n.tokens) + gap
	p.height = rows*p.pitchY - gap
	return p
}

// corner is where a map begins.
func (p attentionPlaces) corner(h headMap) (x, y int) {
	return h.column * p.pitchX, h.row*p.pitchY + p.above
}

// picture are the maps of one model as a PNG, as a URL that holds it: tens of thousands of shapes would take seconds to draw. The
// second model's maps are mirrored, one to the right of the diagonal.
func (n attentionMaps) picture(m int, p attentionPlaces) string {
	palette := make(color.Palette, 1+attentionLevels)
	for l := range palette {
		palette[l] = tinted(colourOf(m), float64(l)/attentionLevels)
	}
	scale := int(math.Ceil(2 * p.pixels)) // so that cells have sharp edges
	canvas := image.NewPaletted(image.Rect(0, 0, p.width*scale, p.height*scale), palette)
	for _, h := range n.maps {
		x, y := p.corner(h)
		for t, row := range h.weights[m] {
			for s, weight := range row {
				at := image.Pt(x+s, y+t)
				if m == 1 {
					at = image.Pt(x+t+1, y+s)
				}
				box := image.Rectangle{at.Mul(scale), at.Add(image.Pt(1, 1)).Mul(scale)}
				draw.Draw(canvas, box, image.NewUniform(palette[level(weight)]), image.Point{}, draw.Src)
			}
		}
	}
	var out bytes.Buffer
	_ = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, canvas) // into memory, of a size that is not zero
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes())
}

// tinted is a colour, such as "#0072b2", of some opacity.
func tinted(hex string, opacity float64) color.NRGBA {
	c := color.NRGBA{A: uint8(math.Round(255 * opacity))}
	_, _ = fmt.Sscanf(hex, "#%02x%02x%02x", &c.R, &c.G, &c.B) // a constant of ours
	return c
}

// square is JavaScript that gives cells the same width and height: o is the corner of all maps, and u a cell's size.
const square = `var u=Math.min(api.size([1,0])[0],api.size([0,1])[1]),o=api.coord([0,0]);`

const (
	drawPicture = `function(p,api){` + square + `return{type:"image",style:{image:%s,x:o[0],y:o[1],width:u*%d,height:u*%d}}}`
	drawBox     = square + `return{type:"rect",shape:{x:o[0]+u*api.value(0),y:o[1]+u*api.value(1),width:u*api.value(2),height:u*api.value(3)},style:{fill:api.visual("color"),opacity:%g}}}`
	drawGround  = `function(p,api){` + drawBox
	drawRow     = `function(p,api){if(typeof document==="undefined")return;` + drawBox // where there is a pointer to find it
)

func (n attentionMaps) series(p attentionPlaces) []charts.SingleSeries {
	var ground [][]any
	for _, h := range n.maps {
		x, y := p.corner(h)
		ground = append(ground, []any{x, y, p.cells, len(n.tokens)})
	}
	all := []charts.SingleSeries{{Id: "ground", Type: "custom", Data: ground, ItemStyle: &opts.ItemStyle{Color: inkFaint},
		RenderItem: opts.FuncOpts(fmt.Sprintf(drawGround, 0.35))}}
	for m, name := range n.names() {
		var rows [][]any
		for i := range n.maps {
			rows = append(rows, n.hover(i, m, p)...)
		}
		all = append(all, charts.SingleSeries{Id: fmt.Sprintf("m%d", m), Name: name, Type: "custom", Data: [][]any{{0, 0}}, ItemStyle: &opts.ItemStyle{Color: colourOf(m)},
			RenderItem: opts.FuncOpts(fmt.Sprintf(drawPicture, quoted(n.picture(m, p)), p.width, p.height))},
			charts.SingleSeries{Id: fmt.Sprintf("h%d", m), Type: "custom", Data: rows, RenderItem: opts.FuncOpts(fmt.Sprintf(drawRow, 0.0))})
	}
	return all
}

// names are those of the models, by which the legend switches.
func (n attentionMaps) names() (names []string) {
	for m, a := range n.models {
		name := abridged(a.Model, 44)
		if slices.Contains(names, name) {
			name = fmt.Sprintf("%s (%d)", name, m+1)
		}
		names = append(names, name)
	}
	return names
}

// hover are the rows of a map that a pointer finds, and of a mirrored one the columns, with the map, the row and where it looks.
func (n attentionMaps) hover(i, m int, p attentionPlaces) (out [][]any) {
	x, y := p.corner(n.maps[i])
	for t, row := range n.maps[i].weights[m] {
		at := []any{x, y + t, t + 1, 1, i, t}
		if m == 1 {
			at = []any{x + t + 1, y, 1, t + 1, i, t}
		}
		for _, s := range looks(row) {
			at = append(at, s, rounded(100*row[s], 1))
		}
		out = append(out, at)
	}
	return out
}

// reading is the tooltip of a token in a map.
func (n attentionMaps) reading() string {
	names, places := make([]string, len(n.tokens)), make([]string, len(n.tokens))
	heads, models := make([]string, len(n.maps)), make([]string, len(n.models))
	for i, token := range n.tokens {
		names[i] = html.EscapeString(spaced(token))
		if n.binned {
			names[i] += "…"
		}
		first, _ := binBounds(i, len(n.tokens), len(n.models[0].Tokens))
		places[i] = fmt.Sprintf("token %d <b>%s</b>", first, names[i])
	}
	for i, h := range n.maps {
		heads[i] = fmt.Sprintf("layer %d, head %d", h.layer, h.head)
	}
	for m, a := range n.models {
		models[m] = named(a.Model, a.Steps)
	}
	return fmt.Sprintf(`function(p){var v=p.value,t=%s,out="<b>"+%s[v[4]]+"</b> "+%s[+p.seriesId.charAt(1)]+"<br>"+%s[v[5]]+" looks at";`+
		`for(var i=6;i<v.length;i+=2)out+="<br>"+t[v[i]]+" <b>"+v[i+1]+"%%</b>";return out}`, quotedAll(names), quotedAll(heads), quotedAll(models), quotedAll(places))
}

// attentionLabel is a word beside the maps: where it stands in cells, how far from there in pixels, and how it is aligned.
type attentionLabel struct {
	x, y   float64
	dx, dy int
	align  string // "left", "center", "right"
	turned bool
	text   string
}

// labels name rows and columns, or each map; of a single map they name the tokens.
func (n attentionMaps) labels(p attentionPlaces) (out []attentionLabel) {
	middle := float64(p.cells) / 2
	for i, layer := range n.layers {
		out = append(out, attentionLabel{y: float64(i*p.pitchY) + middle, dx: -10, align: "right", text: fmt.Sprintf("layer %d", layer)})
	}
	columns := len(n.columns)
	for i, head := range n.columns {
		word := "head "
		if columns > 8 && i > 0 {
			word = ""
		}
		out = append(out, attentionLabel{x: float64(i*p.pitchX) + middle, dy: -10, align: "center", text: fmt.Sprintf("%s%d", word, head)})
	}
	if columns > 0 {
		return out
	}
	if len(n.maps) > 1 {
		for _, h := range n.maps {
			x, y := p.corner(h)
			out = append(out, attentionLabel{x: float64(x), y: float64(y), dy: -8, align: "left", text: fmt.Sprintf("L%d H%d", h.layer, h.head)})
		}
		return out
	}
	every := int(math.Ceil(11 / p.pixels))
	for t, token := range n.tokens {
		if t%every == 0 {
			name := cut(spaced(token), 9)
			out = append(out, attentionLabel{y: float64(t) + 0.5, dx: -5, align: "right", text: name},
				attentionLabel{x: float64(t) + 0.5, y: float64(len(n.tokens)), dy: 5, align: "right", turned: true, text: name})
		}
	}
	return out
}

// drawLabel is JavaScript that writes one of the words.
const drawLabel = `function(p,api){` + square + `return{type:"text",silent:true,x:o[0]+u*api.value(0)+api.value(2),y:o[1]+u*api.value(1)+api.value(3),rotation:api.value(5)?Math.PI/2:0,` +
	`style:{text:%s[api.value(6)],align:["left","center","right"][api.value(4)],verticalAlign:"middle",fontSize:11,lineHeight:13,fill:api.visual("color")}}}`

func labelSeries(labels []attentionLabel) charts.SingleSeries {
	texts, data := make([]string, len(labels)), make([][]any, len(labels))
	for i, l := range labels {
		turned := 0
		if l.turned {
			turned = 1
		}
		texts[i] = l.text
		data[i] = []any{rounded(l.x, 2), rounded(l.y, 2), l.dx, l.dy, slices.Index([]string{"left", "center", "right"}, l.align), turned, i}
	}
	return charts.SingleSeries{Id: "labels", Type: "custom", Data: data, ItemStyle: &opts.ItemStyle{Color: inkText},
		RenderItem: opts.FuncOpts(fmt.Sprintf(drawLabel, quotedAll(texts)))}
}

func attentionFigure(n attentionMaps) Figure {
	p := n.places()
	chart := charts.NewCustom()
	chart.SetGlobalOptions(charts.WithTooltipOpts(opts.Tooltip{Trigger: "item", Formatter: opts.FuncOpts(n.reading())}))
	chart.MultiSeries = append(n.series(p), labelSeries(n.labels(p)))
	f := New(n.title(), n.caption(), chart)
	for i, s := range chart.MultiSeries { // a pointer finds rows only
		f.set(fmt.Sprintf("series.%d.silent", i), !strings.HasPrefix(s.Id, "h"))
	}
	n.lay(&f, p)
	return f
}

// lay gives the maps their place below the words, and two models a legend.
func (n attentionMaps) lay(f *Figure, p attentionPlaces) {
	top, bottom := 66, 16
	if n.columns != nil {
		top += 18 // the heads' names
	}
	if len(n.models) == 2 {
		top += 28 // the legend
	}
	body := int(math.Ceil(float64(p.height) * p.pixels))
	if len(n.maps) == 1 {
		bottom += 66 // the tokens' names
	}
	f.Height = top + body + bottom
	f.option["grid"] = map[string]any{"left": 74, "right": 20, "top": top, "height": body}
	f.option["xAxis"], f.option["yAxis"] = hiddenAxis(p.width, false), hiddenAxis(p.height, true)
	names := n.names()
	f.option["legend"] = map[string]any{"show": len(names) == 2, "left": 8, "top": 50, "data": names, "itemGap": 18}
	f.dress()
}
