package plots

import (
	"math"
	"regexp"
	"strconv"
	"testing"
)

// Widths are those of the Go fonts' own tables: https://go.dev/blog/go-fonts. All letters of Go Mono have 1229 of 2048 units.
func TestTextWidth(t *testing.T) {
	for _, test := range []struct {
		words, font string
		want        float64
	}{
		{"", "12px sans-serif", 0},
		{"i.", "20px monospace", 2 * 1229.0 / 2048 * 20},
		{"日本", "10px sans-serif", 20},
	} {
		if got := textWidth(test.words, test.font); math.Abs(got-test.want) > 0.1 {
			t.Errorf("%q in %s is %g pixels wide, want %g", test.words, test.font, got, test.want)
		}
	}
	if plain, bold := textWidth("best so far", "12px sans-serif"), textWidth("best so far", "bold 12px sans-serif"); bold <= plain || bold > 1.2*plain {
		t.Errorf("%g pixels, bold %g", plain, bold)
	}
	if half, whole := textWidth("wide", "9.5px sans-serif"), textWidth("wide", "19px sans-serif"); math.Abs(whole-2*half) > 1e-9 {
		t.Errorf("%g pixels, twice as large %g", half, whole)
	}
}

// ECharts must leave the room that the words of a legend take.
func TestLegendsDoNotTouch(t *testing.T) {
	needECharts(t)
	runs := sampleRuns(10)
	for i := range runs {
		runs[i].Name = "sub-network-distilled-top-" + string(rune('1'+i)) + "-60-0.001"
	}
	svg, err := Curves(runs...).SVG()
	if err != nil {
		t.Fatal(err)
	}
	entry := regexp.MustCompile(`x="([0-9.]+)" y="[0-9.]+" transform="translate\(([0-9.]+) ([0-9.]+)\)"[^>]*>(` + "sub-network-[^<]*)<")
	end, row := 0.0, ""
	found := entry.FindAllStringSubmatch(svg, -1)
	for _, match := range found {
		x, _ := strconv.ParseFloat(match[1], 64)
		left, _ := strconv.ParseFloat(match[2], 64)
		if match[3] == row && left < end+10 {
			t.Errorf("%s begins at %g, the one before it ends at %g", match[4], left, end)
		}
		end, row = left+x+textWidth(match[4], "12px sans-serif"), match[3]
	}
	if len(found) != len(runs) || end > 720 {
		t.Errorf("%d names in the legend, the last ends at %g", len(found), end)
	}
}
