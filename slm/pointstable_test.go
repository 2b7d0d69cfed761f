package slm

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func TestPointsAreReadAsWritten(t *testing.T) {
	points := []Point{{Step: 1, Tokens: 64, Loss: 5.5, CE: 5.25, Rate: 1e-4, GradNorm: 2, Seconds: 0.5}, {Step: 2, Tokens: 128, Loss: 5, Validation: 5.125}}
	var table bytes.Buffer
	if err := WritePoints(&table, points); err != nil {
		t.Fatal(err)
	}
	got, err := ReadPoints(&table)
	if err != nil || !reflect.DeepEqual(got, points) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReadPointsRefuses(t *testing.T) {
	head := strings.Join(pointColumns, ",") + "\n"
	for text, want := range map[string]string{
		"":                                 "EOF",
		"a,b\n1,2\n":                       "not those of a run's points",
		head + "1,2,3\n":                   "wrong number of fields",
		head + "x,64,,,,,,,,,,,,\n":        `parsing "x"`,
		head + "1,x,,,,,,,,,,,,\n":         `parsing "x"`,
		head + "1,64,5.5,none,,,,,,,,,,\n": `parsing "none"`,
	} {
		if _, err := ReadPoints(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzReadPoints(f *testing.F) {
	head := strings.Join(pointColumns, ",") + "\n"
	f.Add(head)
	f.Add(head + "1,64,5.5,,,,0.0001,2,0.5,,,,,\n")
	f.Add(head + "1,64,NaN\n")
	f.Fuzz(func(t *testing.T, text string) {
		points, err := ReadPoints(strings.NewReader(text))
		if err == nil && len(points) > strings.Count(text, "\n") {
			t.Errorf("%d points in %q", len(points), text)
		}
	})
}
