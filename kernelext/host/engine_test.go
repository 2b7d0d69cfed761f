package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
)

// A run with kept logits ends in the same numbers whether its teacher is in memory or only in its files, and leaves it there. A step
// whose logits are not kept loads it, and an error says when that cannot be.
func TestKeptLogitsLeaveTheTeacherInItsFiles(t *testing.T) {
	home := t.TempDir()
	t.Setenv("OFFSHOOT_HOME", home)
	furnish(t, home)
	folder := filepath.Join(home, "teachers", "tiny")
	e := &engine{}
	if _, _, err := e.Backend(t.Context()); err != nil {
		t.Skip(err)
	}
	var said []string
	report := func(message string, _, _ int64) { said = append(said, message) }
	open := func() resident.Teacher {
		teacher, err := e.OpenTeacher(t.Context(), folder, report)
		if err != nil {
			t.Fatal(err)
		}
		if teacher.Bytes() != 0 || teacher.Config().Layers != tinyTeacher.Layers || len(teacher.SHA256()) != 64 {
			t.Errorf("opened, the teacher holds %d bytes, has %d layers and the hash %q", teacher.Bytes(), teacher.Config().Layers, teacher.SHA256())
		}
		return teacher
	}
	d := killedRun
	d.Data = slm.Data{Paths: []string{storiesFile(t)}}
	d = d.WithDefaults()
	const kept = 3
	begin := func(teacher resident.Teacher) resident.Trainer {
		run, err := teacher.Trainer(t.Context(), d, report)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(run.Close)
		return run
	}
	take := func(run resident.Trainer) (points []slm.Point) {
		for range kept {
			p, err := run.Step(t.Context(), report)
			if err != nil {
				t.Fatal(err)
			}
			p.Seconds, p.Spent = 0, slm.Spent{}
			points = append(points, p)
		}
		return points
	}
	present, absent := open(), open()
	want := take(begin(present))
	if bytes := 4 * (slm.Subnet{}).Parameters(tinyTeacher).Total(); present.Bytes() != bytes || !slices.Contains(said, "loading tiny") {
		t.Errorf("the teacher whose logits were computed holds %d bytes, want %d; it said %q", present.Bytes(), bytes, said)
	}
	if got := take(begin(present)); !slices.Equal(got, want) { // the first weights come from memory
		t.Errorf("with the teacher in memory %+v, want %+v", got, want)
	}
	run := begin(absent)
	if got := take(run); !slices.Equal(got, want) || absent.Bytes() != 0 {
		t.Errorf("with the teacher in its files %+v, want %+v; it holds %d bytes", got, want, absent.Bytes())
	}
	if err := os.Truncate(filepath.Join(folder, "model.safetensors"), 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Step(t.Context(), report); err == nil || !strings.Contains(err.Error(), "weights cannot be loaded") || absent.Bytes() != 0 {
		t.Errorf("past the kept logits, of files that were cut short: %v", err)
	}
}
