package plots

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/dop251/goja"
)

// SVG draws the figure without a browser: a picture on a white sheet, which reads on every background.
//
// It runs Apache ECharts in a JavaScript engine written in Go. The script is looked for in the folder that the lab's
// set-up fills: $OFFSHOOT_HOME, or .offshoot in the root of the module around the working directory. The first figure
// of a process takes half a second or more, most of it for reading the script, later ones 0.1 to 0.3 s.
func (f Figure) SVG() (string, error) {
	option, err := f.script()
	if err != nil {
		return "", err
	}
	return drawer.svg(option, f.Width, f.Height)
}

// drawer is the process's one JavaScript engine.
var drawer engine

// engine holds ECharts, loaded once. Engines of goja serve one caller at a time.
type engine struct {
	mu   sync.Mutex
	draw goja.Callable
	vm   *goja.Runtime
}

// browserless is what ECharts expects of its surroundings, and the drawing itself.
const browserless = `
function setTimeout() { return 0 }
function clearTimeout() {}
function drawSVG(option, inks, width, height) {
  option = inked(option, inks);
  option.backgroundColor = inks.$paper;
  option.toolbox = undefined;
  if (option.timeline) option.timeline.controlStyle = {show: false};
  var chart = echarts.init(null, null, {renderer: 'svg', ssr: true, width: width, height: height});
  try {
    chart.setOption(option);
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}`

func (e *engine) svg(option string, width, height int) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.load(); err != nil {
		return "", err
	}
	value, err := e.vm.RunString("(" + option + ")")
	if err != nil {
		return "", fmt.Errorf("plots: the figure's option is not JavaScript: %w", err)
	}
	svg, err := e.draw(goja.Undefined(), value, e.vm.ToValue(paperInks), e.vm.ToValue(width), e.vm.ToValue(height))
	if err != nil {
		return "", fmt.Errorf("plots: ECharts could not draw the figure: %w", err)
	}
	return compact(svg.String()), nil
}

func (e *engine) load() error {
	if e.draw != nil {
		return nil
	}
	source, err := echartsScript()
	if err != nil {
		return err
	}
	vm := goja.New()
	for _, part := range []struct{ name, text string }{
		{"browserless.js", browserless}, {"inks.js", inksScript}, {"echarts.min.js", source},
	} {
		if _, err := vm.RunScript(part.name, part.text); err != nil {
			return fmt.Errorf("plots: loading ECharts: %w", err)
		}
	}
	draw, ok := goja.AssertFunction(vm.Get("drawSVG"))
	if !ok {
		return errors.New("plots: loading ECharts: no drawing function")
	}
	e.vm, e.draw = vm, draw
	return nil
}

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

// compact makes a picture less than half as large, so that a notebook of many figures stays small.
func compact(svg string) string {
	svg = noise.ReplaceAllStringFunc(svg, func(match string) string {
		if match[0] == '>' {
			return "/>"
		}
		return ""
	})
	svg = tag.ReplaceAllStringFunc(svg, func(tag string) string { return fraction.ReplaceAllString(tag, "$1") })
	return joined(unseen.ReplaceAllString(svg, ""))
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

// echartsScript reads echarts.min.js, which the lab's set-up installs.
func echartsScript() (string, error) {
	home, err := offshootHome()
	if err != nil {
		return "", err
	}
	path := filepath.Join(home, "js", "node_modules", "echarts", "dist", "echarts.min.js")
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("plots: ECharts is not installed (%w); run: go run ./kernelext/lab setup", err)
	}
	return string(text), nil
}

// offshootHome is $OFFSHOOT_HOME, or .offshoot in the root of the module around the working directory.
func offshootHome() (string, error) {
	if home := os.Getenv("OFFSHOOT_HOME"); home != "" {
		return home, nil
	}
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("plots: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, ".offshoot"), nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("plots: ECharts is looked for in $OFFSHOOT_HOME, which is not set, or in .offshoot beside a go.mod, and there is none above %s", start)
		}
	}
}

// quoted is a string as a JavaScript literal that may stand inside a page's script.
func quoted(s string) string {
	text, _ := json.Marshal(s) // strings always marshal
	return string(text)
}
