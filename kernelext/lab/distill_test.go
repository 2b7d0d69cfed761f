package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/tensorboard"
)

// fakeTrainer is a lab whose run stops at a step.
type fakeTrainer struct {
	curve slm.Curve
	stop  int
	until []slm.Until
	on    []int // devices
}

func (f *fakeTrainer) Architecture(context.Context, string, func(kernelext.Event)) (slm.Config, error) {
	return slm.Published("smollm2-135m")
}

func (f *fakeTrainer) Distill(_ context.Context, name string, d slm.Distillation, _ func(kernelext.Event)) (slm.Curve, error) {
	f.curve.Name, f.curve.Distillation = name, d.WithDefaults()
	return f.curve, d.WithDefaults().Validate(mustPublished("smollm2-135m"))
}

func (f *fakeTrainer) TrainOn(_ context.Context, _ string, devices int, u slm.Until, watch func(kernelext.Event)) (slm.Curve, error) {
	f.until, f.on = append(f.until, u), append(f.on, devices)
	last := f.curve.Steps() + u.StepsOf(f.curve.Distillation.StepTokens())
	for s := f.curve.Steps() + 1; s <= last; s++ {
		if s == f.stop {
			return f.curve, errors.New("the host has gone")
		}
		p := slm.Point{Step: s, Tokens: int64(s * f.curve.Distillation.StepTokens()), Loss: 9, Validation: 8}
		f.curve.Points = append(f.curve.Points, p)
		watch(kernelext.Event{Kind: kernelext.Point, Point: &p, Done: int64(s), Total: int64(last)})
	}
	return f.curve, nil
}

func (f *fakeTrainer) Curve(context.Context, string) (slm.Curve, error) { return f.curve, nil }

func mustPublished(name string) slm.Config {
	c, err := slm.Published(name)
	if err != nil {
		panic(err)
	}
	return c
}

func asked(t *testing.T, args ...string) (d distillation, budget int64, err error) {
	t.Helper()
	if err := d.flags(flag.NewFlagSet("distill", flag.ContinueOnError)).Parse(args); err != nil {
		t.Fatal(err)
	}
	budget, err = d.settle()
	return d, budget, err
}

// The same command trains what is missing, and nothing more.
func TestDistillGoesOn(t *testing.T) {
	lab := &fakeTrainer{stop: 3}
	args := []string{"--student", "bin:30M", "--tokens", "2000", "--batch", "2", "--top-k", "8", "--decay", "wsd", "--devices", "2"}
	d, budget, err := asked(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := d.train(t.Context(), lab, budget, io.Discard); err == nil || c.Steps() != 2 {
		t.Fatalf("interrupted, %d steps, %v", c.Steps(), err)
	}
	lab.stop = 0
	for range 2 {
		d, budget, _ = asked(t, args...)
		if c, err := d.train(t.Context(), lab, budget, io.Discard); err != nil || c.Steps() != 8 {
			t.Fatalf("%d steps, %v; want 8 of 256 tokens", c.Steps(), err)
		}
	}
	if want := []slm.Until{{Tokens: 2000}, {Tokens: 2000 - 2*256}}; !reflect.DeepEqual(lab.until, want) {
		t.Errorf("it trained %v, want %v", lab.until, want)
	}
	if want := []int{2, 2}; !reflect.DeepEqual(lab.on, want) {
		t.Errorf("on %v devices, want %v", lab.on, want)
	}
	got := lab.curve
	if got.Name != "smollm2-135m-30M-teacher" && !strings.HasPrefix(got.Name, "smollm2-135m-") || got.Distillation.Loss.String() != "0.3 cross-entropy + 0.7 forward-kl of the top 8" ||
		got.Distillation.Schedule != (slm.Schedule{Peak: 1e-3, Warmup: 1, Horizon: 8, Final: 0.1, Decay: slm.WSD, Falling: 1}) {
		t.Errorf("%s: %s, %+v", got.Name, got.Distillation.Loss, got.Distillation.Schedule)
	}
}

func TestDistillReadsItsFlags(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	base := []string{"--student", "bin:30M", "--tokens", "1M"}
	for _, c := range []struct {
		args []string
		want slm.Data
	}{
		{nil, slm.Data{}},
		{[]string{"--data", "tinystories", "--data-tokens", "5M"}, slm.Data{Name: "roneneldan/TinyStories", Tokens: 5e6}},
		{[]string{"--data", file + "," + dir, "--column", "body"}, slm.Data{Paths: []string{file, dir}, Column: "body"}},
		{[]string{"--data", "owner/name@v2", "--config", "c", "--split", "test"}, slm.Data{Name: "owner/name", Revision: "v2", Config: "c", Split: "test"}},
		{[]string{"--data", "0.7 tinystories + 0.3 goroot"}, slm.Data{Mixture: []slm.Share{{Data: slm.Data{Name: "roneneldan/TinyStories"}, Weight: 0.7}, {Weight: 0.3}}}},
	} {
		if d, _, err := asked(t, append(base, c.args...)...); err != nil || !reflect.DeepEqual(d.Data, c.want) {
			t.Errorf("%v: %+v, %v", c.args, d.Data, err)
		}
	}
	for want, args := range map[string][]string{
		"name a student":         {"--tokens", "1M"},
		"--tokens":               {"--student", "bin:30M", "--tokens", "many"},
		"a step has 512 tokens":  {"--student", "bin:30M", "--tokens", "500"},
		"--dtype":                append([]string{"--dtype", "f16"}, base...),
		"--decay":                append([]string{"--decay", "steps"}, base...),
		"unknown term":           append([]string{"--divergence", "hinge"}, base...),
		"with -2 pairs":          append([]string{"--hidden-states", "0.1", "--pairs", "-2"}, base...),
		"no terms":               append([]string{"--alpha", "0", "--beta", "0"}, base...),
		"no file or folder":      append([]string{"--data", "storeys"}, base...),
		"--devices 0":            append([]string{"--devices", "0"}, base...),
		"--data-tokens":          append([]string{"--data-tokens", "-4"}, base...),
		"want a weight":          append([]string{"--data", "goroot + 0.3 tinystories"}, base...),
		"not of a mixture":       append([]string{"--data", "1 goroot + 1 tinystories", "--config", "c"}, base...),
		"it has no name":         append([]string{"--data", "goroot", "--split", "test"}, base...),
		"begin with one of them": append([]string{"--random", "--start", "x"}, base...),
	} {
		if _, _, err := asked(t, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
}

func TestDistillReadsItsLoss(t *testing.T) {
	for want, args := range map[string][]string{
		"0.3 cross-entropy + 0.7 forward-kl":                                           nil,
		"0.3 cross-entropy + 0.7 forward-kl of the top 8 at temperature 2":             {"--top-k", "8", "--temperature", "2"},
		"1 cross-entropy + 0.01 hidden-states":                                         {"--alpha", "1", "--beta", "0", "--hidden-states", "0.01"},
		"0.3 cross-entropy + 0.7 reverse-kl + 0.01 hidden-states of 3 pairs of layers": {"--divergence", "reverse-kl", "--hidden-states", "0.01", "--pairs", "3"},
	} {
		d, _, err := asked(t, append([]string{"--student", "bin:30M", "--tokens", "1M", "--document-mask"}, args...)...)
		if err != nil || d.Loss.String() != want || !d.DocumentMask {
			t.Errorf("%v: %s with document_mask %t, %v; want %s", args, d.Loss, d.DocumentMask, err, want)
		}
	}
}

// A run that begins with an exported student needs no architecture, and is named after it.
func TestDistillBeginsWithAStudent(t *testing.T) {
	lab := &fakeTrainer{}
	d, budget, err := asked(t, "--start", "students/first", "--tokens", "2000")
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.train(t.Context(), lab, budget, io.Discard)
	if got := c.Distillation; err != nil || c.Name != "smollm2-135m-from-first" || got.From != "students/first" || got.Init != slm.FromExport || !got.Subnet.IsZero() {
		t.Errorf("%s begins with %q (%s): %v", c.Name, got.From, got.Init, err)
	}
}

// What TensorBoard is to show has each step once, also where a batch job was stopped and goes on.
func TestDistillWritesForTensorBoard(t *testing.T) {
	lab, dir := &fakeTrainer{stop: 3}, t.TempDir()
	for range 2 {
		d, budget, err := asked(t, "--student", "bin:30M", "--tokens", "2048", "--run", "r", "--tensorboard", dir)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := d.train(t.Context(), lab, budget, io.Discard); c.Steps() == 4 && err != nil {
			t.Fatal(err)
		}
		lab.stop = 0
	}
	before := folderSize(t, filepath.Join(dir, "r"))
	w, err := tensorboard.Open(filepath.Join(dir, "r"), lab.curve)
	if err != nil || lab.curve.Steps() != 4 || before == 0 {
		t.Fatalf("%d steps, %d bytes, %v", lab.curve.Steps(), before, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if after := folderSize(t, filepath.Join(dir, "r")); after != before {
		t.Errorf("the run's curve added %d bytes to %d: it was not there as it is", after-before, before)
	}
}

// folderSize is the size of a folder's files.
func folderSize(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		bytes += info.Size()
	}
	return bytes
}

func TestPointsAsCSV(t *testing.T) {
	var out strings.Builder
	err := slm.WritePoints(&out, []slm.Point{{Validation: 2}, {Step: 1, Tokens: 512, Loss: 3.5, CE: 4, Rate: 1e-4, GradNorm: 2, Seconds: 0.5,
		Spent: slm.Spent{Data: 0.125, Student: 0.375, Checkpoint: 2}}})
	want := "step,tokens,loss,cross_entropy,validation,perplexity,learning_rate,gradient_norm,seconds,data_seconds,teacher_seconds,student_seconds,validation_seconds,checkpoint_seconds\n" +
		"0,0,,,2,7.38905609893065,,,,,,,,\n1,512,3.5,4,,,0.0001,2,0.5,0.125,,0.375,,2\n"
	if err != nil || out.String() != want {
		t.Errorf("%v, %q; want %q", err, out.String(), want)
	}
}
