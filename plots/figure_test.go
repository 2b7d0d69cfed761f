package plots

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/janpfeifer/gonb/gonbui/protocol"
	"github.com/offshoot-ml/offshoot/slm"
)

// needECharts skips where the set-up has not installed the script.
func needECharts(t testing.TB) {
	t.Helper()
	if _, err := echartsScript(); err != nil {
		t.Skip(err)
	}
}

// words is the text of a picture; the test fails if it is not well-formed XML.
func words(t *testing.T, svg string) string {
	t.Helper()
	var text strings.Builder
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatalf("the picture is not XML: %v", err)
		}
		if data, ok := token.(xml.CharData); ok {
			text.Write(data)
			text.WriteByte('\n')
		}
	}
}

func TestStaticPictures(t *testing.T) {
	needECharts(t)
	p := sampleSearch(t, 16, 4)
	single := p
	single.Candidates = single.Candidates[:1]
	hostile := []slm.Curve{{Name: `</script><b>"bold"`, Points: []slm.Point{{Step: 1, Loss: 2, Validation: 3}}}, {Name: "other"}}
	for _, test := range []struct {
		name     string
		figure   Figure
		mostKB   int
		contains []string
	}{
		{"population", Population(p), 60, []string{"Search 30M", "bin 28.5M-31.5M", "gen 0", "gen 4", "elite", "best: #", "100k", "parameters (millions)", "perplexity"}},
		{"one candidate", Population(single), 60, []string{"best: #0"}},
		{"ten thousand candidates", Population(manyCandidates(10_000)), 120, nil},
		{"no candidate", Population(slm.Population{Name: "new"}), 60, []string{"Search new", "No candidate"}},
		{"mask", Mask(p.Teacher, p.Candidates[7].Subnet), 100, []string{"smollm2-135m", "heads by query group", "head size", "FFN neurons", "1,536", "576", "29"}},
		{"mask of 96 layers by 128 heads", Mask(largest, sampleSubnet(largest, 1)), 300, []string{"36,864", "93"}},
		{"whole mask", Mask(p.Teacher, slm.Subnet{}), 100, []string{"All layers"}},
		{"curves", Curves(sampleRuns(60)...), 60, []string{"from random weights", "nats per token", "steps", "5.959"}},
		{"long curves", Curves(sampleRuns(100_000)...), 60, []string{"100,000"}},
		{"one point", Curves(slm.Curve{Name: "a", Points: []slm.Point{{Step: 0, Validation: 10.5}}}), 60, []string{"10.500"}},
		{"no curve", Curves(), 60, []string{"No step"}},
		{"hostile names", Curves(hostile...), 60, []string{`</script><b>"bold"`}},
	} {
		t.Run(test.name, func(t *testing.T) { checkPicture(t, test.figure, test.mostKB, test.contains...) })
	}
}

// checkPicture draws a figure without a browser and fails if its picture does not say what it should, or is too large.
func checkPicture(t *testing.T, f Figure, mostKB int, contains ...string) {
	t.Helper()
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	text := words(t, svg)
	for _, want := range contains {
		if !strings.Contains(text, want) {
			t.Errorf("the picture does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(svg, "NaN") {
		t.Error("the picture says NaN")
	}
	if len(svg) > mostKB<<10 {
		t.Errorf("the picture has %d bytes, want at most %d KB", len(svg), mostKB)
	}
	if len([]rune(f.Caption)) > 105 {
		t.Errorf("the caption %q is too long for 600 pixels", f.Caption)
	}
}

// checkFitted is [checkPicture] of a figure whose caption leaves out what has no room: see [fitted].
func checkFitted(t *testing.T, f Figure, mostKB int, contains ...string) {
	t.Helper()
	checkPicture(t, f, mostKB, contains...)
	if len([]rune(f.Caption)) > mostCaption {
		t.Errorf("the caption %q has more than %d letters", f.Caption, mostCaption)
	}
}

// A figure without data tells so to tests of notebooks.
func TestBlank(t *testing.T) {
	for _, f := range []Figure{empty("nothing", "Nothing yet."), Curves(), Curves(slm.Curve{Name: "new"}), Population(slm.Population{}), LayerImportance(tiny, slm.Importance{})} {
		data, err := f.display("")
		if err != nil {
			t.Fatal(err)
		}
		if data.Metadata["offshoot"] != "figure without data" {
			t.Errorf("%s: %v", f.Title, data.Metadata)
		}
	}
	p := sampleSearch(t, 8, 2)
	for _, f := range []Figure{Population(p), MaskHistory(p), Mask(tiny, slm.Subnet{}), Curves(sampleRuns(20)...)} {
		if f.blank() {
			t.Errorf("%s counts as a figure without data", f.Title)
		}
	}
}

func TestHTMLStaysOnTheMachine(t *testing.T) {
	for _, f := range []Figure{Population(sampleSearch(t, 8, 1)), Mask(tiny, slm.Subnet{}), Curves(sampleRuns(20)...),
		Curves(slm.Curve{Name: "</script><script>alert(1)</script>"}, slm.Curve{})} {
		html := f.HTML()
		for _, never := range []string{"http://", "https://", `src="//`, "cdn"} {
			if strings.Contains(html, never) {
				t.Errorf("%s: the page names %q", f.Title, never)
			}
		}
		if n := strings.Count(html, "<script"); n != 1 || strings.Count(html, "</script") != 1 {
			t.Errorf("%s: %d scripts, want one that nothing breaks out of", f.Title, n)
		}
		if strings.Contains(html, "__f__") {
			t.Errorf("%s: a function is still a string", f.Title)
		}
	}
}

func TestWithoutECharts(t *testing.T) {
	t.Setenv("OFFSHOOT_HOME", t.TempDir())
	f := Curves(sampleRuns(5)...)
	fresh := engine{}
	option, err := f.script()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = fresh.svg(option, paperInks, 100, 100); err == nil || !strings.Contains(err.Error(), "go run ./kernelext/lab setup") {
		t.Errorf("the error does not say what to do: %v", err)
	}
	if html := f.fragment("", "a"); !strings.Contains(html, "liven(") || strings.Contains(html, "<img") || !strings.Contains(html, "<p>Loss of 3 runs.") {
		t.Error("without the static picture the page should still hold the words and the interactive one")
	}
}

func TestOffshootHome(t *testing.T) {
	t.Setenv("OFFSHOOT_HOME", "")
	root := t.TempDir()
	below := filepath.Join(root, "notebooks", "deep")
	if err := os.MkdirAll(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module m\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(below)
	home, err := offshootHome()
	if want := filepath.Join(root, ".offshoot"); err != nil || filepath.Base(home) != ".offshoot" || !sameFolder(home, want) {
		t.Errorf("%q, %v; want %q", home, err, want)
	}
}

// sameFolder compares parents, since temporary folders may be reached through links.
func sameFolder(a, b string) bool {
	x, errX := filepath.EvalSymlinks(filepath.Dir(a))
	y, errY := filepath.EvalSymlinks(filepath.Dir(b))
	return errX == nil && errY == nil && x == y
}

func TestWriteFile(t *testing.T) {
	needECharts(t)
	dir := t.TempDir()
	f := Mask(tiny, slm.Subnet{})
	for _, name := range []string{"a.svg", "a.html"} {
		if err := f.WriteFile(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	page, _ := os.ReadFile(filepath.Join(dir, "a.html"))
	if n := strings.Count(string(page), "</script>"); n != 2 {
		t.Errorf("the page ends %d scripts, want ECharts and the figure's", n)
	}
	if err := f.WriteFile(filepath.Join(dir, "a.gif")); err == nil {
		t.Error("an unknown extension was written")
	}
	if err := f.WriteFile(filepath.Join(dir, "missing", "a.svg")); err == nil {
		t.Error("a missing folder was no error")
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAnyChart(t *testing.T) {
	needECharts(t)
	bar := charts.NewBar()
	bar.SetXAxis([]string{"embedding", "attention"}).AddSeries("parameters", []opts.BarData{{Value: 28}, {Value: 12}})
	svg, err := New("Parameters by part", "In millions.", bar).SVG()
	if err != nil {
		t.Fatal(err)
	}
	if text := words(t, svg); !strings.Contains(text, "attention") || !strings.Contains(text, "Parameters by part") {
		t.Errorf("the picture says %s", text)
	}
}

func TestDisplayHoldsBothForms(t *testing.T) {
	needECharts(t)
	data, err := Mask(tiny, slm.Subnet{}).display("id")
	if err != nil {
		t.Fatal(err)
	}
	svg, _ := data.Data[protocol.MIMEImageSVG].(string)
	html, _ := data.Data[protocol.MIMETextHTML].(string)
	if !strings.HasPrefix(svg, "<svg") || !strings.Contains(html, "data:image/svg+xml;base64,") || data.DisplayID != "id" {
		t.Errorf("the output holds %d bytes of SVG and %d of HTML, named %q", len(svg), len(html), data.DisplayID)
	}
}

func TestFiguresAreDrawnAtTheSameTime(t *testing.T) {
	needECharts(t)
	f := Mask(tiny, slm.Subnet{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := f.SVG(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestZeroFigure(t *testing.T) {
	if _, err := (Figure{}).SVG(); err == nil {
		t.Error("the zero Figure was drawn")
	}
	if html := (Figure{}).HTML(); !strings.Contains(html, "zero Figure") {
		t.Errorf("the page says %q", html)
	}
}

// A picture has no buttons, whatever tools the interactive figure has.
func TestPicturesHaveNoButtons(t *testing.T) {
	needECharts(t)
	f := Population(sampleSearch(t, 8, 1))
	if f.option["brush"] == nil || f.option["toolbox"] == nil {
		t.Fatal("the figure has no tools")
	}
	with, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	delete(f.option, "brush")
	delete(f.option, "toolbox")
	if without, err := f.SVG(); err != nil || with != without {
		t.Errorf("the picture is another one than that of the figure without tools (%v)", err)
	}
}
