package plots

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// needResvg skips where the set-up has not installed it.
func needResvg(t testing.TB) {
	t.Helper()
	needECharts(t)
	if _, err := rasterised(`<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>`, 1); err != nil {
		t.Skip(err)
	}
}

func TestPNG(t *testing.T) {
	needResvg(t)
	f := Curves(sampleRuns(60)...)
	content, err := f.PNG(1.5)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if size := picture.Bounds().Size(); size != image.Pt(f.Width*3/2, f.Height*3/2) {
		t.Errorf("the picture has %v pixels", size)
	}
	for _, test := range []struct {
		what string
		in   image.Rectangle // of the picture's size
		ink  color.RGBA
	}{
		{"the title's words", image.Rect(8, 6, 200, 24), color.RGBA{0x1a, 0x1a, 0x1a, 0xff}},
		{"the axis's words, turned", image.Rect(10, 60, 40, 360), color.RGBA{0x1a, 0x1a, 0x1a, 0xff}},
		{"a line", image.Rect(72, 60, 620, 360), color.RGBA{0x00, 0x72, 0xb2, 0xff}},
		{"the sheet", image.Rect(0, 0, 4, 4), color.RGBA{0xff, 0xff, 0xff, 0xff}},
	} {
		if !holds(picture, test.in, test.ink) {
			t.Errorf("%s: no pixel of %v in %v", test.what, test.ink, test.in)
		}
	}
}

// holds looks for a colour in a part of a picture of one and a half times the size.
func holds(picture image.Image, in image.Rectangle, ink color.RGBA) bool {
	for y := in.Min.Y * 3 / 2; y < in.Max.Y*3/2; y++ {
		for x := in.Min.X * 3 / 2; x < in.Max.X*3/2; x++ {
			if color.RGBAModel.Convert(picture.At(x, y)) == ink {
				return true
			}
		}
	}
	return false
}

func TestPNGThatCannotBe(t *testing.T) {
	f := Mask(tiny, slm.Subnet{})
	for _, scale := range []float64{0, -1, 100} {
		if _, err := f.PNG(scale); err == nil || !strings.Contains(err.Error(), "scale") {
			t.Errorf("scale %g: %v", scale, err)
		}
	}
	t.Setenv("OFFSHOOT_HOME", t.TempDir())
	if _, err := rasterised("<svg/>", 1); err == nil || !strings.Contains(err.Error(), "go run ./kernelext/lab setup") {
		t.Errorf("the error does not say what to do: %v", err)
	}
}

func TestWritePNG(t *testing.T) {
	needResvg(t)
	path := filepath.Join(t.TempDir(), "mask.PNG")
	if err := Mask(tiny, slm.Subnet{}).WriteFile(path); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(content, []byte("\x89PNG\r\n")) {
		t.Errorf("%v, begins with %q", err, content[:min(8, len(content))])
	}
}

func TestPage(t *testing.T) {
	needECharts(t)
	path := filepath.Join(t.TempDir(), "page.html")
	hostile := Curves(slm.Curve{Name: "</script><script>alert(1)</script>", Points: []slm.Point{{Step: 1, Validation: 3}}})
	if err := WritePage(path, "<Runs> of May", Curves(sampleRuns(60)...), Mask(tiny, slm.Subnet{}), hostile); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	if scripts := strings.Count(page, "</script>"); scripts != 4 {
		t.Errorf("%d scripts, want ECharts once and one for each figure", scripts)
	}
	if pictures := strings.Count(page, "<img alt="); pictures != 3 {
		t.Errorf("%d static pictures", pictures)
	}
	if !strings.Contains(page, "<h1>&lt;Runs&gt; of May</h1>") || !strings.Contains(page, "<title>&lt;Runs&gt; of May</title>") {
		t.Error("the title is not there, or not escaped")
	}
	for _, asks := range []string{"<link", " src=\"http", " src=\"//", "@import"} {
		if strings.Contains(page, asks) {
			t.Errorf("the page asks for something elsewhere: %s", asks)
		}
	}
	if _, err := Page("nothing"); err == nil {
		t.Error("a page without a figure")
	}
}

// TestPageOfTwenty holds a page to 5 MB, which opens in an instant.
func TestPageOfTwenty(t *testing.T) {
	needECharts(t)
	runs, search := sampleRuns(2000), sampleSearch(t, 16, 4)
	var figures []Figure
	for range 5 {
		figures = append(figures, Curves(runs...), Population(search), Dynamics(runs...), Saved(Steps, runs...))
	}
	page, err := Page("twenty", figures...)
	if err != nil {
		t.Fatal(err)
	}
	if len(page) > 5<<20 {
		t.Errorf("the page has %d KB", len(page)>>10)
	}
	t.Logf("%d figures in %d KB", len(figures), len(page)>>10)
}

// A dark picture has the inks of the dark page, and none of the white sheet's.
func TestDark(t *testing.T) {
	needECharts(t)
	svg, err := Curves(sampleRuns(60)...).Dark().SVG()
	if err != nil {
		t.Fatal(err)
	}
	for ink, dark := range darkInks {
		if !strings.Contains(svg, dark) || !strings.Contains(pageTemplate, dark) {
			t.Errorf("%s: no %s in the picture, or in the page", ink, dark)
		}
		if light := paperInks[ink]; strings.Contains(svg, light) {
			t.Errorf("%s: the picture has the light %s", ink, light)
		}
	}
}
