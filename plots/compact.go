package plots

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// noise is what ECharts writes for scripts that would bring a picture to life; ours stays a picture.
var noise = regexp.MustCompile(` (?:ecmeta_[a-z_]+|class|pointer-events)="[^"]*"|(?s:<style ?>.*?</style>)|></path>|></rect>|></circle>`)

// tag finds what is not text, and fraction numbers with more decimals than a screen shows.
var (
	tag      = regexp.MustCompile(`<[^>]*>`)
	fraction = regexp.MustCompile(`(\d\.\d\d)\d+`)
)

// unseen finds shapes that only serve a pointer.
var unseen = regexp.MustCompile(`(?m)^<path d="[^"]*"(?: transform="[^"]*")? (?:fill="none"|fill="#000000" fill-opacity="0"|fill="#000000" opacity="0")/>\n`)

// flat finds a shape that is nothing but its colour.
var flat = regexp.MustCompile(`^<path d="([^"]*)"( fill="#[0-9a-f]{6}"(?: (?:fill-)?opacity="[0-9.]+")?/>)$`)

// compact makes a picture a third as large or less, so that a notebook of many figures stays small. What it shows does not change.
func compact(svg string) string {
	svg = noise.ReplaceAllStringFunc(svg, func(match string) string {
		if match[0] == '>' {
			return "/>"
		}
		return ""
	})
	svg = tag.ReplaceAllStringFunc(svg, func(tag string) string { return fraction.ReplaceAllString(tag, "$1") })
	svg = joined(unseen.ReplaceAllString(svg, ""))
	svg = outline.ReplaceAllStringFunc(svg, func(d string) string { return `d="` + relative(d[3:len(d)-1]) + `"` })
	return gathered(svg)
}

// joined turns neighbouring shapes of one colour into one. ECharts writes a shape a line.
func joined(svg string) string {
	var out []string
	colour := "" // of the last shape, "" for anything else
	for line := range strings.SplitSeq(svg, "\n") {
		shape := flat.FindStringSubmatch(line)
		if shape != nil && shape[2] == colour {
			last := &out[len(out)-1]
			*last = strings.TrimSuffix(*last, `"`+colour) + shape[1] + `"` + colour
			continue
		}
		colour = ""
		if shape != nil {
			colour = shape[2]
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// outline finds the form of a shape.
var outline = regexp.MustCompile(`\bd="[^"]*"`)

// step finds the parts of an outline, and absolute tells whether relative knows all of its commands.
var (
	step     = regexp.MustCompile(`[A-Za-z]|-?[0-9.]+`)
	absolute = regexp.MustCompile(`^M[-0-9. MLACZ]*$`)
)

// relative writes a path whose commands are absolute in relative ones, which need fewer digits (SVG 2, chapter 9.3). Numbers are
// rounded where they stand, to hundredths of a pixel, so that errors do not add up.
func relative(path string) string {
	if !absolute.MatchString(path) {
		return path
	}
	var out relativePath
	command := ""
	var numbers []int
	for _, part := range step.FindAllString(path, -1) {
		if part[0] >= 'A' {
			if command = part; command == "Z" {
				out.close()
			}
			continue
		}
		v, _ := strconv.ParseFloat(part, 64) // the pattern lets only numbers through
		if numbers = append(numbers, int(math.Round(100*v))); len(numbers) == arguments[command] {
			out.add(command, numbers)
			numbers = nil
		}
	}
	return out.text.String()
}

// arguments is how many numbers a command takes: those of a point are the last two, or all of a curve.
var arguments = map[string]int{"M": 2, "L": 2, "A": 7, "C": 6}

// relativePath is written from where its pen is, in hundredths of a pixel.
type relativePath struct {
	text         strings.Builder
	last         string // command
	x, y         int
	fromX, fromY int // where this part began
}

func (p *relativePath) add(command string, numbers []int) {
	first := 0 // of the numbers that are coordinates
	if command == "A" {
		first = len(numbers) - 2
	}
	endX, endY := numbers[len(numbers)-2], numbers[len(numbers)-1]
	if p.last == "" { // a path begins with an absolute place
		p.write(command, numbers...)
	} else {
		for i := first; i < len(numbers); i += 2 {
			numbers[i], numbers[i+1] = numbers[i]-p.x, numbers[i+1]-p.y
		}
		switch {
		case command == "L" && endY == p.y:
			p.write("h", endX-p.x)
		case command == "L" && endX == p.x:
			p.write("v", endY-p.y)
		default:
			p.write(strings.ToLower(command), numbers...)
		}
	}
	p.x, p.y = endX, endY
	if command == "M" {
		p.fromX, p.fromY = endX, endY
	}
}

func (p *relativePath) close() {
	p.write("z")
	p.x, p.y = p.fromX, p.fromY
}

// write leaves out what a reader of the path supplies: the same command again, spaces before a sign, zeros before a point.
func (p *relativePath) write(command string, numbers ...int) {
	again := command == p.last && command != "m" && command != "z"
	if !again {
		p.text.WriteString(command)
	}
	for i, n := range numbers {
		if n >= 0 && (i > 0 || again) {
			p.text.WriteByte(' ')
		}
		number := strconv.FormatFloat(float64(n)/100, 'f', -1, 64)
		p.text.WriteString(bare(number))
	}
	p.last = command
}

// bare is a number without a zero before its point.
func bare(number string) string {
	switch {
	case strings.HasPrefix(number, "0."):
		return number[1:]
	case strings.HasPrefix(number, "-0."):
		return "-" + number[2:]
	}
	return number
}

// element finds a shape or a text on a line of its own, and attribute what it says.
var (
	element   = regexp.MustCompile(`^<(path|text)((?: [a-z:-]+="[^"]*")+)(/>|>[^<]*</text>)$`)
	attribute = regexp.MustCompile(` ([a-z:-]+)="[^"]*"`)
)

// own are attributes that elements do not take from a group around them.
var own = map[string]bool{"d": true, "x": true, "y": true, "transform": true, "opacity": true, "dominant-baseline": true}

// gathered puts neighbouring elements that look alike, but perhaps for their colours, into a group that says so once.
func gathered(svg string) string {
	var out []string
	var group gathering
	for line := range strings.SplitSeq(svg, "\n") {
		parts := element.FindStringSubmatch(line)
		if parts == nil {
			out = append(append(out, group.end()...), line)
			continue
		}
		looks, fill, its := "", "", ""
		for _, a := range attribute.FindAllStringSubmatch(parts[2], -1) {
			switch {
			case a[1] == "fill":
				fill = a[0]
			case own[a[1]]:
				its += a[0]
			default:
				looks += a[0]
			}
		}
		if looks != group.looks {
			out = append(out, group.end()...)
		}
		group.add(line, looks, fill, [2]string{"<" + parts[1] + its, parts[3]})
	}
	return strings.Join(append(out, group.end()...), "\n")
}

// gathering is a group that grows.
type gathering struct {
	looks    string // what its elements have in common
	whole    []string
	fills    []string    // of each element
	elements [][2]string // without what they have in common: before the fill and after it
}

func (g *gathering) add(whole, looks, fill string, element [2]string) {
	g.looks, g.whole, g.fills, g.elements = looks, append(g.whole, whole), append(g.fills, fill), append(g.elements, element)
}

// end empties the group, and returns its lines.
func (g *gathering) end() []string {
	done := *g
	*g = gathering{}
	if len(slices.Compact(slices.Clone(done.fills))) == 1 {
		done.looks += done.fills[0]
		done.fills = make([]string, len(done.fills))
	}
	if len(done.whole) < 2 || done.looks == "" {
		return done.whole
	}
	var out strings.Builder
	out.WriteString("<g" + done.looks + ">")
	for i, e := range done.elements {
		out.WriteString(e[0] + done.fills[i] + e[1])
	}
	return []string{out.String() + "</g>"}
}
