package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/plots"
)

// figures draws what a lab has recorded: every figure of package plots for which it has data, in one page and as PNG files.
func figures(ctx context.Context, l *lab, args []string) error {
	set := flags("figures", l.stdout)
	out := set.String("out", "", "write index.html and the pictures into `DIR`")
	name := set.String("lab", "", "the `NAME` of the lab (default: the last one written to that holds a search and runs)")
	search := set.String("search", "", "the `NAME` of the search (default: the one whose candidates most runs train)")
	runs := set.String("runs", "", "the `NAMES` of the runs that are compared, the baseline first (default: for each way to train the most trained architecture, the longest)")
	if err := parseNone(set, args); err != nil {
		return err
	}
	if *out == "" {
		return errors.New("lab figures: name a folder for the figures, such as --out figures")
	}
	if err := l.prepare(ctx); err != nil {
		return err
	}
	defer l.useHome()()
	client, holds, err := l.recordedLab(ctx, *name)
	if err != nil {
		return fmt.Errorf("lab figures: %w", err)
	}
	defer client.Close()
	line := startProgress(l.stderr, "lab "+holds.Lab)
	r, err := readRecords(ctx, client, holds, *search, names(*runs), line)
	if err != nil {
		line.End("stopped")
		return fmt.Errorf("lab figures: lab %s: %w", holds.Lab, err)
	}
	line.End(r.String())
	return r.write(ctx, l, *out)
}

// names are those of a list with commas.
func names(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// recordedLab opens a lab that exists: the host would make one of any name.
func (l *lab) recordedLab(ctx context.Context, name string) (*kernelext.Client, kernelext.Contents, error) {
	labs, err := l.labsByAge()
	if err != nil {
		return nil, kernelext.Contents{}, err
	}
	if name != "" {
		if !slices.Contains(labs, name) {
			return nil, kernelext.Contents{}, fmt.Errorf("no lab %q in %s; there are: %s", name, l.path("labs"), strings.Join(labs, ", "))
		}
		labs = []string{name}
	}
	for _, one := range labs {
		client, err := kernelext.Connect(ctx, one)
		if err != nil {
			return nil, kernelext.Contents{}, err
		}
		holds, err := client.Contents(ctx)
		if err == nil && (name != "" || len(holds.Searches) > 0 && len(holds.Runs) > 0) {
			return client, holds, nil
		}
		client.Close()
		if err != nil {
			return nil, kernelext.Contents{}, err
		}
	}
	return nil, kernelext.Contents{}, fmt.Errorf("none of the labs in %s holds a search and runs (%s); name one with --lab, or run a notebook first: go run ./kernelext/lab run notebooks/quickstart.ipynb",
		l.path("labs"), cmp.Or(strings.Join(labs, ", "), "there are none"))
}

// labsByAge are the labs on the disk, the last one written to first.
func (l *lab) labsByAge() ([]string, error) {
	files, err := filepath.Glob(l.path("labs", "*", "lab.db"))
	if err != nil {
		return nil, err
	}
	written := map[string]time.Time{}
	var labs []string
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		labs = append(labs, name)
		for _, part := range []string{file, file + "-wal"} { // SQLite's log is newer than the database
			if info, err := os.Stat(part); err == nil && info.ModTime().After(written[name]) {
				written[name] = info.ModTime()
			}
		}
	}
	slices.SortStableFunc(labs, func(a, b string) int { return written[b].Compare(written[a]) })
	return labs, nil
}

// The widths of the pictures, in pixels: a narrow column, and a figure that fills a page or a slide.
const (
	narrow = 600
	full   = 1080
)

// form is one way to draw a figure as a PNG.
type form struct {
	name  string // at the end of the file's
	width int
	scale float64
	dark  bool
}

var forms = []form{
	{"600", narrow, 1, false}, {"600-dark", narrow, 1, true},
	{"full", full, 2, false}, {"full-dark", full, 2, true},
}

// write draws the figures that the lab has data for, and says which ones those are not, and why.
func (r *records) write(ctx context.Context, l *lab, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	all := r.drawings()
	tellLacking(l.stdout, all)
	drawn := slices.DeleteFunc(all, func(d drawing) bool { return d.lacks != "" })
	if len(drawn) == 0 {
		return fmt.Errorf("lab figures: lab %s has no data for any figure", r.Lab)
	}
	page := make([]plots.Figure, len(drawn))
	for i, d := range drawn {
		page[i] = d.draw()
	}
	line := startProgress(l.stderr, fmt.Sprintf("%d figures", len(drawn)))
	err := drawAll(ctx, drawn, page, out, line)
	if err == nil {
		line.Note("the page")
		err = plots.WritePage(filepath.Join(out, "index.html"), "Lab "+r.Lab, page...)
	}
	if err != nil {
		line.End("stopped")
		return err
	}
	line.End(fmt.Sprintf("%s, and %d PNG files beside it", filepath.Join(out, "index.html"), len(drawn)*len(forms)))
	return nil
}

// tellLacking says each reason once, with the figures that it leaves out.
func tellLacking(w io.Writer, all []drawing) {
	without := map[string][]string{}
	for _, d := range all {
		without[d.lacks] = append(without[d.lacks], d.name)
	}
	delete(without, "")
	for _, d := range all {
		if names := without[d.lacks]; len(names) > 0 && names[0] == d.name {
			fmt.Fprintf(w, "left out: %s\n    %s\n", strings.Join(names, ", "), d.lacks)
		}
	}
}

// drawAll writes the PNG files of figures.
func drawAll(ctx context.Context, drawn []drawing, page []plots.Figure, out string, line *progress) error {
	start, total := time.Now(), len(drawn)*len(forms)
	for i, d := range drawn {
		for j, form := range forms {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			picture, err := form.draw(page[i])
			if err == nil {
				err = writeFile(filepath.Join(out, d.name+"-"+form.name+".png"), picture, 0o644)
			}
			if err != nil {
				return fmt.Errorf("drawing %s: %w", d.name, err)
			}
			n := i*len(forms) + j + 1
			took := time.Since(start)
			line.Note("%d of %d pictures, %.1f a second, %s left", n, total, float64(n)/took.Seconds(), (took * time.Duration(total-n) / time.Duration(n)).Round(time.Second))
		}
	}
	return nil
}

// draw is a figure as a PNG in this form.
func (f form) draw(figure plots.Figure) ([]byte, error) {
	figure.Width = f.width
	if f.dark {
		figure = figure.Dark()
	}
	return figure.PNG(f.scale)
}
