package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// largeFigure is a figure of as much as a lab may hold, drawn without a browser and in one. Times are processor time in
// milliseconds: other programs on the machine do not count.
type largeFigure struct {
	Name     string  `json:"name"`
	Drawing  float64 `json:"drawing_ms"` // the static picture and the option of the interactive one
	Picture  float64 `json:"picture_kb"`
	Option   float64 `json:"option_kb"`
	*watched         // nil without a browser
}

// watched is what benchfigures.mjs saw.
type watched struct {
	Draw  float64 `json:"browser_ms"`     // until it is drawn, ECharts' own loading included
	Hover float64 `json:"hover_frame_ms"` // the longest frame while a pointer moves over it
	Zoom  float64 `json:"zoom_frame_ms"`  // the longest frame while it is zoomed, or its slider moves
}

// benchFigures measures the largest figures: the benchmark of package plots draws them, and a browser opens their pages.
func benchFigures(ctx context.Context, l *lab, asJSON bool) error {
	if err := l.prepare(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "offshoot-figures-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	figures, err := l.drawLarge(ctx, dir)
	if err != nil {
		return err
	}
	if chrome := findBrowser(); chrome == "" {
		fmt.Fprintln(l.stderr, "lab bench figures: no Chromium found (apt-get install chromium, or set CHROME)")
	} else if err := l.watchLarge(ctx, chrome, dir, figures); err != nil {
		return err
	}
	if asJSON {
		return printJSON(l.stdout, figures)
	}
	return printFigures(l.stdout, figures)
}

// drawLarge runs the benchmark, which also writes a page for each figure into dir.
func (l *lab) drawLarge(ctx context.Context, dir string) ([]largeFigure, error) {
	var out strings.Builder
	cmd := l.goCommand(ctx, "test", "-run", "^$", "-bench", "^BenchmarkLarge$", "-benchtime", "3x", "-timeout", "30m", "./plots")
	cmd.Env = append(cmd.Env, "OFFSHOOT_PICTURES="+dir)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := supervise(ctx, cmd, 10*time.Second); err != nil {
		return nil, fmt.Errorf("lab bench figures: %w: %s", err, tail(out.String(), 12))
	}
	figures := readFigures(out.String())
	if len(figures) == 0 {
		return nil, fmt.Errorf("lab bench figures: the benchmark measured nothing: %s", tail(out.String(), 12))
	}
	return figures, nil
}

// readFigures reads lines such as "BenchmarkLarge/Mask-2  3  280.5 cpu-ms/op  72.70 option-kB  36.38 svg-kB".
func readFigures(output string) (figures []largeFigure) {
	for line := range strings.Lines(output) {
		words := strings.Fields(line)
		if len(words) < 2 || !strings.HasPrefix(words[0], "BenchmarkLarge/") {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(words[0], "BenchmarkLarge/"), "-")
		figure := largeFigure{Name: name}
		for i := 2; i+1 < len(words); i += 2 {
			value, _ := strconv.ParseFloat(words[i], 64) // what Go's benchmarks print
			switch words[i+1] {
			case "cpu-ms/op":
				figure.Drawing = value
			case "svg-kB":
				figure.Picture = value
			case "option-kB":
				figure.Option = value
			}
		}
		figures = append(figures, figure)
	}
	return figures
}

// watchLarge opens the page of each figure in a browser.
func (l *lab) watchLarge(ctx context.Context, chrome, dir string, figures []largeFigure) error {
	var pages []string
	for _, f := range figures {
		pages = append(pages, filepath.Join(dir, f.Name+".html"))
	}
	var seen []*watched
	if err := l.runScripts(ctx, []string{"benchfigures.mjs"}, map[string]any{"chrome": chrome, "pages": pages}, &seen); err != nil {
		return fmt.Errorf("lab bench figures: %w", err)
	}
	if len(seen) != len(figures) {
		return errors.New("lab bench figures: the browser did not open all pages")
	}
	for i := range figures {
		figures[i].watched = seen[i]
	}
	return nil
}

func printFigures(out io.Writer, figures []largeFigure) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "figure\tdrawing\tpicture\toption\tin the browser\thover frame\tzoom frame\t")
	for _, f := range figures {
		fmt.Fprintf(table, "%s\t%.0f ms\t%.0f kB\t%.0f kB\t", f.Name, f.Drawing, f.Picture, f.Option)
		if w := f.watched; w != nil {
			fmt.Fprintf(table, "%.0f ms\t%.0f ms\t%.0f ms\t", w.Draw, w.Hover, w.Zoom)
		} else {
			fmt.Fprint(table, "-\t-\t-\t")
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}
