package tensorboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

var began = time.Unix(1_750_000_000, 0).UTC()

// someRun is a run of so many steps, of which every other one was measured.
func someRun(t *testing.T, steps int) slm.Curve {
	t.Helper()
	teacher, err := slm.Published("smollm2-135m")
	if err != nil {
		t.Fatal(err)
	}
	run := slm.Curve{Name: "run", Teacher: teacher, Distillation: slm.Distillation{Loss: slm.CE(0.3).Plus(slm.ForwardKL(0.7))}.WithDefaults(),
		Points: []slm.Point{{Validation: 11, Time: began}}}
	for s := 1; s <= steps; s++ {
		p := slm.Point{Step: s, Tokens: int64(512 * s), Loss: 10 - float64(s)/10, CE: 9 - float64(s)/10, Rate: 1e-3, GradNorm: 2, Seconds: 0.5,
			Spent: slm.Spent{Teacher: 0.25, Student: 0.125}, Time: began.Add(time.Duration(s) * time.Second)}
		if s%2 == 0 {
			p.Validation = 8 - float64(s)/10
		}
		run.Points = append(run.Points, p)
	}
	return run
}

// Events are, byte for byte, those that TensorBoard's own classes write.
func TestEventsAreTensorBoards(t *testing.T) {
	want, err := os.ReadFile("testdata/events")
	if err != nil {
		t.Fatal(err)
	}
	summary := appendScalar(appendScalar(nil, "loss/train", 3.25), "cost/flops", 1e12)
	later := began.Add(1250 * time.Millisecond)
	var got []byte
	for _, e := range [][]byte{versionEvent(began), summaryEvent(began, 0, summary), startEvent(later, 300), summaryEvent(later, 300, summary)} {
		got = appendRecord(got, e)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("events\n%q, want\n%q", got, want)
	}
}

// A folder has every step of a run once and as it is, however the writing was cut off and the run went back.
func TestAFolderFollowsItsRun(t *testing.T) {
	run := someRun(t, 12)
	upTo := func(steps int) slm.Curve {
		c := run
		c.Points = run.Points[: steps+1 : steps+1]
		return c
	}
	changed := upTo(12)
	changed.Points = slices.Clone(changed.Points)
	for i := 7; i <= 12; i++ {
		changed.Points[i].Loss++
	}
	var dirs []string
	for name, steps := range map[string]struct {
		write []slm.Curve
		cut   int // bytes off the first file
		files int
	}{
		"at once":            {[]slm.Curve{upTo(12)}, 0, 1},
		"nothing new":        {[]slm.Curve{upTo(12), upTo(12)}, 0, 1},
		"in two":             {[]slm.Curve{upTo(5), upTo(12)}, 0, 2},
		"cut off":            {[]slm.Curve{upTo(5), upTo(12)}, 7, 2},
		"damaged from start": {[]slm.Curve{upTo(0), upTo(12)}, 30, 2},
		"gone back":          {[]slm.Curve{changed, upTo(6), upTo(12)}, 0, 2},
		"gone back unseen":   {[]slm.Curve{changed, upTo(12)}, 0, 2},
	} {
		dir := filepath.Join(t.TempDir(), strings.ReplaceAll(name, " ", "-"))
		for i, c := range steps.write {
			if err := Write(dir, c); err != nil {
				t.Fatal(err)
			}
			if i == 0 && steps.cut > 0 {
				cutFirst(t, dir, steps.cut)
			}
		}
		names, err := eventFiles(dir)
		seen, readErr := readFolder(dir)
		if err != nil || readErr != nil || len(names) != steps.files {
			t.Errorf("%s: files %v, want %d (%v, %v)", name, names, steps.files, err, readErr)
		}
		fresh := filepath.Join(t.TempDir(), "fresh")
		if err := Write(fresh, run); err != nil {
			t.Fatal(err)
		}
		if want, _ := readFolder(fresh); !maps.EqualFunc(seen, want, bytes.Equal) || len(want) != 13 {
			t.Errorf("%s: %d steps, not those of the run", name, len(seen))
		}
		dirs = append(dirs, dir)
	}
	asTensorBoard(t, dirs, run)
}

// cutFirst cuts off the end of a folder's first file.
func cutFirst(t *testing.T, dir string, bytes int) {
	t.Helper()
	names, err := eventFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, names[0])
	info, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, info.Size()-int64(bytes))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// asTensorBoard compares a run with what TensorBoard shows of folders.
func asTensorBoard(t *testing.T, dirs []string, run slm.Curve) {
	t.Helper()
	python := os.Getenv("OFFSHOOT_REFERENCES")
	if python == "" || exec.Command(python, "-c", "import tensorboard").Run() != nil {
		t.Log("OFFSHOOT_REFERENCES names no Python with tensorboard: only read back here")
		return
	}
	out, err := exec.CommandContext(t.Context(), python, append([]string{"testdata/events.py", "read"}, dirs...)...).Output()
	var shown []map[string][][3]float64
	if err != nil || json.Unmarshal(out, &shown) != nil || len(shown) != len(dirs) {
		t.Fatalf("TensorBoard: %v, %s", err, out)
	}
	var flops int64
	want := map[string][][3]float64{}
	add := func(tag string, p slm.Point, v float64) {
		if v != 0 {
			want[tag] = append(want[tag], [3]float64{float64(p.Step), float64(float32(v)), float64(p.Time.UnixMilli()) / 1000})
		}
	}
	for _, p := range run.Points {
		add("loss/train", p, p.Loss)
		add("loss/cross_entropy", p, p.CE)
		add("loss/validation", p, p.Validation)
		add("training/learning_rate", p, p.Rate)
		add("training/gradient_norm", p, p.GradNorm)
		add("cost/tokens", p, float64(p.Tokens))
		add("seconds/teacher", p, p.Spent.Teacher)
		add("seconds/student", p, p.Spent.Student)
		if p.Validation != 0 {
			add("perplexity/validation", p, math.Exp(p.Validation))
		}
		if p.Step > 0 {
			flops += run.Distillation.StepFLOPs(run.Teacher)
			add("cost/flops", p, float64(flops))
			add("cost/tokens_per_second", p, 1024)
		}
	}
	for i, dir := range dirs {
		if !maps.EqualFunc(shown[i], want, slices.Equal) {
			t.Errorf("of %s TensorBoard shows\n%v, want\n%v", dir, shown[i], want)
		}
	}
}

// Points of an older lab have no time: they are counted back.
func TestMoments(t *testing.T) {
	points := []slm.Point{{}, {Step: 1, Seconds: 2}, {Step: 2, Seconds: 3}, {Step: 3, Time: began}, {Step: 4, Seconds: 1}}
	now := began.Add(time.Minute)
	want := []time.Time{began.Add(-5 * time.Second), began.Add(-3 * time.Second), began, began, now}
	if got := moments(points, now); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Any file is read without harm, and nothing is seen that is not in it.
func FuzzReadEvents(f *testing.F) {
	text, err := os.ReadFile("testdata/events")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:len(text)-3])
	f.Add(appendRecord(nil, []byte{0x10}))
	f.Fuzz(func(t *testing.T, text []byte) {
		seen := map[int64][]byte{}
		readEvents(text, seen)
		for step, summary := range seen {
			if !bytes.Contains(text, summary) {
				t.Errorf("step %d has %q", step, summary)
			}
		}
	})
}

func Example() {
	run := slm.Curve{Name: "from-30M", Points: []slm.Point{{Validation: 9}}}
	dir, err := os.MkdirTemp("", "tensorboard")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := Write(filepath.Join(dir, run.Name), run); err != nil {
		panic(err)
	}
	names, err := eventFiles(filepath.Join(dir, run.Name))
	fmt.Println(len(names), "file of events", err)
	// Output: 1 file of events <nil>
}
