package checkpoint

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// realTeacher is the teacher that the set-up installs; a test is skipped without it.
func realTeacher(t testing.TB) string {
	t.Helper()
	home := os.Getenv("OFFSHOOT_HOME")
	if home == "" {
		home = filepath.Join("..", "..", ".offshoot")
	}
	path := filepath.Join(home, "teachers", "smollm2-135m.gguf")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the teacher is not installed (%v); go run ./kernelext/lab setup installs it", err)
	}
	return path
}

// TestAgainstTransformers compares the real teacher with what transformers makes of it: see testdata/reference.py.
func TestAgainstTransformers(t *testing.T) {
	start := time.Now()
	teacher, weights := openAll(t, realTeacher(t))
	t.Logf("loaded %d parameters in %v", weights.Parameters(), time.Since(start))
	text, err := os.ReadFile(filepath.Join("testdata", "reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Config  slm.Config
		Tensors map[string]struct {
			Shape    []int
			Sum, Abs float64
			Values   []float32
		}
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	want.Config.Name, want.Config.Family = "smollm2-135m", slm.Llama
	want.Config.NormEps = 1e-5 // transformers reads the nearest float32, 9.99999974e-06
	if !reflect.DeepEqual(teacher.Config, want.Config) {
		t.Errorf("architecture\n%+v, want\n%+v", teacher.Config, want.Config)
	}
	if published, err := slm.Published("smollm2-135m"); err != nil || !reflect.DeepEqual(teacher.Config, published) {
		t.Errorf("published architecture %+v, %v", published, err)
	}
	if len(weights) != len(want.Tensors) || len(want.Tensors) != 272 {
		t.Errorf("%d tensors, want %d", len(weights), len(want.Tensors))
	}
	for name, w := range want.Tensors {
		got := weights[name]
		if !reflect.DeepEqual(got.Shape, w.Shape) {
			t.Errorf("%s: shape %v, want %v", name, got.Shape, w.Shape)
			continue
		}
		var sum, abs float64
		for _, v := range got.Data {
			sum += float64(v)
			abs += math.Abs(float64(v))
		}
		if math.Abs(sum-w.Sum) > 1e-6*w.Abs || math.Abs(abs-w.Abs) > 1e-6*w.Abs {
			t.Errorf("%s: sum %g and %g absolute, want %g and %g", name, sum, abs, w.Sum, w.Abs)
		}
		for i, v := range w.Values {
			if at := (len(got.Data) - 1) * i / 7; math.Abs(float64(got.Data[at]-v)) > 1e-6 {
				t.Errorf("%s: value %d is %g, want %g", name, at, got.Data[at], v)
			}
		}
	}
}

func BenchmarkReadAll(b *testing.B) {
	path := realTeacher(b)
	for b.Loop() {
		openAll(b, path)
	}
}

// TestGGUFOfEveryFolder has the gguf package write each folder as llama.cpp's converter does: the file is the same model.
func TestGGUFOfEveryFolder(t *testing.T) {
	python := os.Getenv("OFFSHOOT_REFERENCES")
	if python == "" {
		t.Skip("the Python references are not installed: go run ./kernelext/lab setup --references")
	}
	folders, err := filepath.Glob(filepath.Join(transformersCases, "*", "config.json"))
	if err != nil || len(folders) < 10 {
		t.Fatalf("%d cases, %v", len(folders), err)
	}
	args, dir := []string{filepath.Join("testdata", "convert.py")}, t.TempDir()
	target := func(folder string) string { return filepath.Join(dir, filepath.Base(folder)+".gguf") }
	for _, path := range folders {
		args = append(args, filepath.Dir(path), target(filepath.Dir(path)))
	}
	if out, err := exec.Command(python, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, path := range folders {
		folder := filepath.Dir(path)
		want, wantWeights := openAll(t, folder)
		got, gotWeights := openAll(t, target(folder))
		if !reflect.DeepEqual(gotWeights, wantWeights) {
			t.Errorf("%s: the weights differ", folder)
		}
		f, w := got.Config.Frequencies(got.Config.HeadSize), want.Config.Frequencies(want.Config.HeadSize)
		for i := range w { // Llama 3's scaling comes as factors
			if math.Abs(f[i]-w[i]) > 1e-6*w[i] {
				t.Errorf("%s: frequency %d is %g, want %g", folder, i, f[i], w[i])
			}
		}
		got.Config.RopeScaling, want.Config.RopeScaling = slm.RopeScaling{}, slm.RopeScaling{}
		if !reflect.DeepEqual(got.Config, want.Config) {
			t.Errorf("%s: architecture\n%+v, want\n%+v", folder, got.Config, want.Config)
		}
	}
}
