package plots

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
)

// PNG draws the figure without a browser as a picture of pixels, scale times its width and height: 2 is sharp on a projector.
//
// It is [Figure.SVG], rasterised by resvg (https://github.com/linebender/resvg) in the lab's Python environment, which the set-up
// makes. Words are in the Go fonts, letters that they lack in a font of the machine. A picture takes half a second.
func (f Figure) PNG(scale float64) ([]byte, error) {
	if !(scale > 0 && scale <= mostScale) {
		return nil, fmt.Errorf("plots: figure %q: scale %g of a PNG, want more than 0 and at most %d", f.Title, scale, mostScale)
	}
	svg, err := f.SVG()
	if err != nil {
		return nil, err
	}
	return rasterised(svg, scale)
}

// mostScale keeps a mistaken scale from taking all memory.
const mostScale = 16

// Of the rasterisers in Go at hand in 2026 none draws these pictures: tdewolff/canvas paints no fill-opacity, oksvg (and Fyne's
// fork of it) neither text nor clip paths.
const rasterise = `
import sys, resvg_py
scale, *fonts = sys.argv[1:]
sys.stdout.buffer.write(bytes(resvg_py.svg_to_bytes(svg_string=sys.stdin.buffer.read().decode(), zoom=float(scale),
    font_files=fonts, font_family="Go", sans_serif_family="Go", monospace_family="Go Mono")))
`

// rasterised runs resvg.
func rasterised(svg string, scale float64) ([]byte, error) {
	home, err := offshootHome()
	if err != nil {
		return nil, err
	}
	python := filepath.Join(home, "venv", "bin", "python")
	if _, err := os.Stat(python); err != nil {
		return nil, fmt.Errorf("plots: what draws PNG is not installed (%w); run: go run ./kernelext/lab setup", err)
	}
	fonts, err := fontFiles()
	if err != nil {
		return nil, fmt.Errorf("plots: PNG: %w", err)
	}
	defer os.RemoveAll(filepath.Dir(fonts[0]))
	command := exec.Command(python, append([]string{"-I", "-c", rasterise, fmt.Sprint(scale)}, fonts...)...)
	command.Stdin = strings.NewReader(svg)
	png, err := command.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		if bytes.Contains(exit.Stderr, []byte("resvg_py")) && bytes.Contains(exit.Stderr, []byte("ModuleNotFoundError")) {
			return nil, fmt.Errorf("plots: what draws PNG, resvg-py, is not installed in %s; run: go run ./kernelext/lab setup", filepath.Join(home, "venv"))
		}
		err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
	}
	if err != nil {
		return nil, fmt.Errorf("plots: PNG by resvg: %w", err)
	}
	return png, nil
}

// fontFiles writes the fonts into a folder of their own.
func fontFiles() ([]string, error) {
	folder, err := os.MkdirTemp("", "offshoot-fonts-")
	if err != nil {
		return nil, err
	}
	files := []string{filepath.Join(folder, "regular.ttf"), filepath.Join(folder, "bold.ttf"), filepath.Join(folder, "mono.ttf")}
	for i, font := range [][]byte{goregular.TTF, gobold.TTF, gomono.TTF} {
		if err := os.WriteFile(files[i], font, 0o600); err != nil {
			os.RemoveAll(folder)
			return nil, err
		}
	}
	return files, nil
}
