package plots

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/dop251/goja"
)

// SVG draws the figure without a browser: a picture on a white sheet, which reads on every background, or on a dark one after
// [Figure.Dark].
//
// It runs Apache ECharts in a JavaScript engine written in Go. The script is looked for in the folder that the lab's
// set-up fills: $OFFSHOOT_HOME, or .offshoot in the root of the module around the working directory. The first figure
// of a process takes half a second or more, most of it for reading the script, later ones 0.1 to 0.3 s.
func (f Figure) SVG() (string, error) {
	option, err := f.script()
	if err != nil {
		return "", err
	}
	inks := paperInks
	if f.dark {
		inks = darkInks
	}
	return drawer.svg(option, inks, f.Width, f.Height)
}

// drawer is the process's one JavaScript engine.
var drawer engine

// engine holds ECharts, loaded once. Engines of goja serve one caller at a time.
type engine struct {
	mu   sync.Mutex
	draw goja.Callable
	vm   *goja.Runtime
}

// browserless is what ECharts expects of its surroundings.
const browserless = `
function setTimeout() { return 0 }
function clearTimeout() {}`

//go:embed static.js
var staticScript string

func (e *engine) svg(option string, inks map[string]string, width, height int) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.load(); err != nil {
		return "", err
	}
	value, err := e.vm.RunString("(" + option + ")")
	if err != nil {
		return "", fmt.Errorf("plots: the figure's option is not JavaScript: %w", err)
	}
	svg, err := e.draw(goja.Undefined(), value, e.vm.ToValue(inks), e.vm.ToValue(width), e.vm.ToValue(height))
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
		{"browserless.js", browserless}, {"inks.js", inksScript}, {"echarts.min.js", source}, {"static.js", staticScript},
	} {
		if _, err := vm.RunScript(part.name, part.text); err != nil {
			return fmt.Errorf("plots: loading ECharts: %w", err)
		}
	}
	if err := vm.Set("textWidth", textWidth); err != nil {
		return fmt.Errorf("plots: loading ECharts: %w", err)
	}
	draw, ok := goja.AssertFunction(vm.Get("drawSVG"))
	if !ok {
		return errors.New("plots: loading ECharts: no drawing function")
	}
	e.vm, e.draw = vm, draw
	return nil
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
