package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestReadFigures(t *testing.T) {
	got := readFigures("goos: linux\nBenchmarkLarge/Mask-2         \t       3\t       280.5 cpu-ms/op\t        72.70 option-kB\t        36.38 svg-kB\nPASS\n")
	if want := []largeFigure{{Name: "Mask", Drawing: 280.5, Picture: 36.38, Option: 72.70}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	got = append(got, largeFigure{Name: "Kept", watched: &watched{Draw: 700, Hover: 22, Zoom: 5}})
	var out strings.Builder
	if err := printFigures(&out, got); err != nil || !strings.Contains(out.String(), "280 ms") || !strings.Contains(out.String(), "700 ms") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
