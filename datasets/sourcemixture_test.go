package datasets

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// linesOf are JSON Lines of n texts of some length.
func linesOf(n, length int) string {
	return strings.Repeat(`{"text": "`+strings.Repeat("a", length)+"\"}\n", n)
}

func mixtureOf(root string, weights map[string]float64) (data slm.Data) {
	for _, name := range []string{"large.jsonl", "small.jsonl", "long.jsonl"} {
		if w := weights[name]; w > 0 {
			data.Mixture = append(data.Mixture, slm.Share{Data: slm.Data{Paths: []string{filepath.Join(root, name)}}, Weight: w})
		}
	}
	return data
}

func TestMixture(t *testing.T) {
	root := folderOf(t, map[string]string{"large.jsonl": linesOf(3000, 100), "small.jsonl": linesOf(50, 40), "long.jsonl": linesOf(40, 5000)})
	for _, test := range []struct {
		weights map[string]float64
		total   int // bytes, about: as many as the part takes that lasts the longest
	}{
		{map[string]float64{"large.jsonl": 3, "small.jsonl": 1}, 400_000},
		{map[string]float64{"large.jsonl": 0.1, "small.jsonl": 0.9}, 3_000_000},
		{map[string]float64{"large.jsonl": 0.5, "small.jsonl": 0.2, "long.jsonl": 0.3}, 200_000 * 10 / 3},
		{map[string]float64{"small.jsonl": 7}, 2000},
	} {
		s := openTest(t, mixtureOf(root, test.weights))
		given, ids, total := map[string]float64{}, map[string]bool{}, 0
		sum := 0.0
		for _, w := range test.weights {
			sum += w
		}
		for d, err := range s.Documents(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			name, _, _ := strings.Cut(d.ID[strings.LastIndex(d.ID, " ")+1:], ":")
			given[name] += float64(len(d.Text))
			ids[d.ID], total = true, total+len(d.Text)
			for name, w := range test.weights { // at every moment, to the length of a document
				if total > 50_000 && math.Abs(given[name]-w/sum*float64(total)) > 6000 {
					t.Fatalf("%v: %s has %g of %d bytes", test.weights, name, given[name], total)
				}
			}
		}
		if math.Abs(float64(total-test.total)) > 12_000 {
			t.Errorf("%v: %d bytes, want about %d", test.weights, total, test.total)
		}
		rows := 0
		for name := range test.weights {
			rows += map[string]int{"large.jsonl": 3000, "small.jsonl": 50, "long.jsonl": 40}[name]
		}
		if len(ids) != rows { // each of all parts, and a document that comes again is the same one
			t.Errorf("%v: %d IDs, want %d", test.weights, len(ids), rows)
		}
	}
}

func TestMixtureIDs(t *testing.T) {
	root := folderOf(t, map[string]string{"a/x.txt": "of a", "b/x.txt": "of b"})
	a, b := slm.Data{Paths: []string{filepath.Join(root, "a")}}, slm.Data{Paths: []string{filepath.Join(root, "b")}}
	s := openTest(t, slm.Data{Mixture: []slm.Share{{Data: a, Weight: 1}, {Data: b, Weight: 1}}})
	want := []string{"x.txt of a", "part 1: x.txt of b"}
	for range 2 {
		if got, err := documents(t.Context(), s); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, %v", got, err)
		}
	}
	if again := openTest(t, s.Data()); fmt.Sprint(again.Data()) != fmt.Sprint(s.Data()) || s.Data().Mixture[1].Data.Column != "text" {
		t.Errorf("its data is %+v", s.Data())
	}
	_, err := Open(t.Context(), slm.Data{Mixture: []slm.Share{{Data: a, Weight: 1}, {Data: b, Weight: 1}, {Data: a, Weight: 3}}}, Options{})
	if err == nil || !strings.Contains(err.Error(), "parts 0 and 2 are the same data") {
		t.Errorf("the same part twice: %v", err)
	}
}

func TestMixtureRefuses(t *testing.T) {
	root := folderOf(t, map[string]string{"large.jsonl": linesOf(10, 10), "small.jsonl": linesOf(2, 10) + "[]", "long.jsonl": "\n"})
	for name, want := range map[string]string{"small.jsonl": "small.jsonl: line 3", "long.jsonl": "there is no text"} {
		_, err := documents(t.Context(), openTest(t, mixtureOf(root, map[string]float64{"large.jsonl": 1, name: 1})))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Open(t.Context(), mixtureOf(t.TempDir(), map[string]float64{"large.jsonl": 1}), Options{})
	if err == nil || !strings.Contains(err.Error(), "part 0") {
		t.Errorf("a part that is not there: %v", err)
	}
}

// TestMixtureStops leaves no part being read.
func TestMixtureStops(t *testing.T) {
	root := folderOf(t, map[string]string{"large.jsonl": linesOf(3000, 100), "small.jsonl": linesOf(50, 40)})
	seen := 0
	for range openTest(t, mixtureOf(root, map[string]float64{"large.jsonl": 1, "small.jsonl": 5})).Documents(t.Context()) {
		if seen++; seen == 500 {
			break
		}
	}
	if seen != 500 {
		t.Errorf("%d documents", seen)
	}
}
