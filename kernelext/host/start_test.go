package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/distill"
	"github.com/offshoot-ml/offshoot/slm/export"
)

// A run that begins with the student of another has its weights and its held-out loss, and keeps them whatever becomes of the
// folder. A student that has changed since the run was named, or is of another architecture, is refused.
func TestRunBeginsWithAnExportedStudent(t *testing.T) {
	home, client := newLab(t)
	ctx, dir := t.Context(), filepath.Join(t.TempDir(), "first")
	d := slm.Distillation{Teacher: "tiny", Subnet: slm.Subnet{Embd: slm.First(32), Layers: []slm.LayerSubnet{{Layer: 1, FFN: slm.First(96)}}},
		Data: slm.Data{Paths: []string{storiesFile(t)}}, Batch: 2, SeqLen: 16, EvalTokens: 256}
	must := func(c slm.Curve, err error) slm.Curve {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	write := func() {
		t.Helper()
		if _, err := client.ExportRun(ctx, "first", kernelext.Export{Dir: dir}, nil); err != nil {
			t.Fatal(err)
		}
	}
	must(client.Distill(ctx, "first", d, nil))
	first := must(client.Steps(ctx, "first", 12, nil))
	write()
	s, _, err := export.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	again := d
	again.From, again.Subnet, again.Schedule.Peak = dir, slm.Subnet{}, 1e-4 // the folder has the sub-network
	second := must(client.Distill(ctx, "second", again, nil))
	if second.Distillation.Init != slm.FromExport || second.Distillation.Subnet.Key() != d.Subnet.Key() || len(second.Distillation.FromSHA256) != 64 {
		t.Errorf("the run is named as %+v", second.Distillation)
	}
	second = must(client.Steps(ctx, "second", 1, nil))
	if got, want := second.Points[0].Validation, first.Validation(); got != want {
		t.Errorf("its held-out loss at step 0 is %.9f, want %.9f", got, want)
	}
	saved, err := distill.ReadSaved(filepath.Join(home, "labs", "lab", "runs", "second", "step-00000000.safetensors"), second.Teacher)
	if err != nil || saved.Steps != 0 || !reflect.DeepEqual(saved.Weights, s.Weights) {
		t.Errorf("its weights at step %d are not the student's (%v)", saved.Steps, err)
	}

	must(client.Distill(ctx, "third", again, nil))
	must(client.Steps(ctx, "first", 1, nil))
	write()
	_, err = client.Steps(ctx, "third", 1, nil)
	wantError(t, err, "run third cannot begin", dir, "has changed since the run was named", "name the run again")
	must(client.Distill(ctx, "third", again, nil))
	if c := must(client.Steps(ctx, "third", 1, nil)); c.Points[0].Validation == second.Points[0].Validation {
		t.Error("the third run begins with the old weights")
	}
	other := again
	other.Subnet = slm.Subnet{Embd: slm.First(32), Layers: []slm.LayerSubnet{{Layer: 1, FFN: slm.First(64)}}}
	_, err = client.Distill(ctx, "fourth", other, nil)
	wantError(t, err, "cannot begin with the student in "+dir, "layer 0: ffn is 96 in the student, 64 is asked for")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, err = client.Distill(ctx, "fifth", again, nil)
	wantError(t, err, "no exported student")
	if err := kernelext.StopHost(ctx); err != nil {
		t.Fatal(err)
	}
	must(client.Distill(ctx, "second", again, nil))
	if c := must(client.Steps(ctx, "second", 1, nil)); c.Steps() != 2 {
		t.Errorf("without the folder it has %d steps, want 2", c.Steps())
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want %q", err, part)
		}
	}
}

// An exported student is a teacher like any other: a run that learns from one is exported in turn.
func TestStudentOfAnExportedStudent(t *testing.T) {
	_, client := newLab(t)
	ctx, folder := t.Context(), t.TempDir()
	data := slm.Data{Paths: []string{storiesFile(t)}}
	teacher := "tiny"
	for _, name := range []string{"first", "second"} {
		d := slm.Distillation{Teacher: teacher, Subnet: slm.Subnet{Layers: []slm.LayerSubnet{{Layer: 0}}}, Data: data, Batch: 2, SeqLen: 16, EvalTokens: 256}
		if _, err := client.Distill(ctx, name, d, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Steps(ctx, name, 1, nil); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(folder, name)
		if _, err := client.ExportRun(ctx, name, kernelext.Export{Dir: dir}, nil); err != nil {
			t.Fatal(err)
		}
		s, _, err := export.Open(dir)
		if err != nil || s.Provenance.Teacher.Name != teacher || len(s.Provenance.Teacher.SHA256) != 64 {
			t.Errorf("%s comes from %+v, %v", name, s.Provenance.Teacher, err)
		}
		teacher = dir
	}
}
