package plots

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// attentionTo are maps of heads that all look at one token, and before it at themselves.
func attentionTo(model string, tokens, at int, heads ...slm.HeadOf) slm.Attention {
	a := slm.Attention{Model: model}
	var weights [][]float32
	for t := range tokens {
		a.Tokens = append(a.Tokens, fmt.Sprintf(" t%d", t))
		row := make([]float32, t+1)
		row[min(at, t)] = 1
		weights = append(weights, row)
	}
	for _, h := range heads {
		a.Maps = append(a.Maps, slm.AttentionMap{Layer: h.Layer, Head: h.Head, Weights: weights})
	}
	return a
}

func TestAttentionNumbers(t *testing.T) {
	teacher := attentionTo("teacher", 4, 1, slm.HeadOf{Layer: 3, Head: 2}, slm.HeadOf{Layer: 0, Head: 5}, slm.HeadOf{Layer: 0, Head: 2})
	student := attentionTo("student", 4, 0, slm.HeadOf{Layer: 0, Head: 5})
	n, err := attentionNumbers([]slm.Attention{teacher, student})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(n.layers, []int{0, 3}) || !reflect.DeepEqual(n.columns, []int{2, 5}) || len(n.maps) != 3 {
		t.Fatalf("layers %v, heads %v, %d maps", n.layers, n.columns, len(n.maps))
	}
	kept := n.maps[1]
	if kept.head != 5 || kept.row != 0 || kept.column != 1 || kept.weights[1] == nil || n.maps[0].weights[1] != nil {
		t.Errorf("%+v", n.maps)
	}
	p := n.places()
	if want := (attentionPlaces{cells: 5, pitchX: 6, pitchY: 5, width: 11, height: 9, pixels: p.pixels}); p != want {
		t.Errorf("places %+v, want %+v", p, want)
	}
	if got, want := n.hover(1, 0, p)[3], []any{6, 3, 4, 1, 1, 3, 1, 100.0, 0, 0.0, 2, 0.0}; !reflect.DeepEqual(got, want) {
		t.Errorf("the last row is found at %v, want %v", got, want)
	}
	if got, want := n.hover(1, 1, p)[3], []any{10, 0, 1, 4, 1, 3, 0, 100.0, 1, 0.0, 2, 0.0}; !reflect.DeepEqual(got, want) {
		t.Errorf("the student's is found at %v, want %v", got, want)
	}
	// In the pictures the teacher's second column is dark, and the student's first row, mirrored.
	for m, want := range []string{"#....\n.#...\n.#...\n.#...\n", ".####\n.....\n.....\n.....\n"} {
		if got := drawnCells(t, n, m, p, kept); got != want {
			t.Errorf("model %d draws\n%s want\n%s", m, got, want)
		}
	}
}

// drawnCells are the cells of a map in a model's picture, "#" for full weight.
func drawnCells(t *testing.T, n attentionMaps, m int, p attentionPlaces, h headMap) (out string) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(n.picture(m, p), "data:image/png;base64,"))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	scale := picture.Bounds().Dx() / p.width
	x, y := p.corner(h)
	for row := range len(n.tokens) {
		for column := range p.cells {
			_, _, _, alpha := picture.At((x+column)*scale+scale/2, (y+row)*scale+scale/2).RGBA()
			out += map[uint32]string{0: ".", 0xffff: "#"}[alpha]
		}
		out += "\n"
	}
	return out
}

// Coarser maps keep the weight of each token, in the mean over the tokens of a row.
func TestBinned(t *testing.T) {
	got := binned([][]float32{{1}, {0.5, 0.5}, {0.2, 0.3, 0.5}, {0.1, 0.1, 0.1, 0.7}}, 2)
	if want := [][]float64{{1}, {0.35, 0.65}}; len(got) != 2 || math.Abs(got[1][0]-want[1][0]) > 1e-6 || math.Abs(got[1][1]-want[1][1]) > 1e-6 || got[0][0] != 1 {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestAttentionPictures(t *testing.T) {
	needECharts(t)
	grid := func(layers, heads int) (out []slm.HeadOf) {
		for l := range layers {
			for h := range heads {
				out = append(out, slm.HeadOf{Layer: 3 * l, Head: h})
			}
		}
		return out
	}
	most := attentionTo("teacher", slm.MostAttended, 0, grid(8, 8)...)
	for _, test := range []struct {
		name     string
		figure   Figure
		mostKB   int
		contains []string
	}{
		{"most", Attention(most), 120, []string{"Attention of teacher", "layer 21", "head 7", "On the first token, “·t0”: 100%"}},
		{"two", Attention(most, attentionTo("<student>", slm.MostAttended, 5, grid(8, 8)...)), 200, []string{"mirrored above it <student>"}},
		{"many heads", Attention(attentionTo("m", 20, 0, grid(1, 40)...)), 60, []string{"L0 H39"}},
		{"one", Attention(attentionTo("m", 10, 0, grid(1, 1)...)), 30, []string{"layer 0, head 0", "·t9"}},
		{"one token", Attention(attentionTo("m", 1, 0, grid(1, 1)...)), 30, []string{"Rows look at columns"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkFitted(t, test.figure, test.mostKB, test.contains...)
			if test.figure.Height > 1200 {
				t.Errorf("%d pixels high", test.figure.Height)
			}
		})
	}
	short, other := attentionTo("a", 3, 0, grid(1, 1)...), attentionTo("b", 4, 0, grid(1, 1)...)
	for _, f := range []Figure{Attention(slm.Attention{}), Attention(short, other), Attention(short, short, short)} {
		if _, err := f.SVG(); err == nil {
			t.Error("drawn")
		}
	}
}
