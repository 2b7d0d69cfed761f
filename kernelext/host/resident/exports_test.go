package resident_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/resident"
	"github.com/offshoot-ml/offshoot/slm"
)

// exported is what the fake engine was asked to write.
func exported(t *testing.T, path string) (e resident.Export) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// A run's student is exported with its history, a teacher's sub-network from its file; a relative folder is the client's.
func TestExport(t *testing.T) {
	home := newHome(t, nil)
	client := connect(t, "lab")
	distill(t, client, "run")
	if _, err := client.Steps(t.Context(), "run", 3, nil); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	info, err := client.ExportRun(t.Context(), "run", kernelext.Export{Dir: "student", Layers: "padded", GGUF: true}, nil)
	if err != nil || info.Dir != "student" || info.Class != "Fake" || info.Layers != "padded" || info.Steps != 7 {
		t.Errorf("exported %+v, %v", info, err)
	}
	e := exported(t, filepath.Join(dir, "student"))
	if e.Run == nil || e.Run.Curve.Name != "run" || e.Run.Curve.Steps() != 3 || filepath.Dir(e.Run.Checkpoint) != filepath.Join(home, "labs", "lab", "runs", "run") || !e.GGUF {
		t.Errorf("asked for %+v of run %+v", e.Export, e.Run)
	}
	subnet := slm.Subnet{Embd: slm.First(64)}
	if _, err := client.Export(t.Context(), "tiny", kernelext.Export{Dir: "cut", Subnet: subnet}, nil); err != nil {
		t.Fatal(err)
	}
	e = exported(t, filepath.Join(dir, "cut"))
	if e.Run != nil || e.Teacher != filepath.Join(home, "teachers", "tiny.gguf") || e.Subnet.Key() != subnet.Key() {
		t.Errorf("asked for %+v of %s", e.Export, e.Teacher)
	}
}

func TestBadExports(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "lab")
	_, err := client.ExportRun(t.Context(), "none", kernelext.Export{Dir: "x"}, nil)
	wantError(t, err, kernelext.Unknown, "none")
	_, err = client.Export(t.Context(), "none", kernelext.Export{Dir: "x"}, nil)
	wantError(t, err, kernelext.Unknown, "none")
	_, err = client.Export(t.Context(), "tiny", kernelext.Export{}, nil)
	wantError(t, err, kernelext.Invalid, "name the folder")
	_, err = client.Export(t.Context(), "tiny", kernelext.Export{Dir: filepath.Join(t.TempDir(), "no", "such", "folder")}, nil)
	wantError(t, err, kernelext.Invalid, "no such file")
}

// An export waits for no training, and stops when it is interrupted.
func TestExportsRunBesideTraining(t *testing.T) {
	home := newHome(t, nil)
	putTeacher(t, home, "slow", `{"Wait": 200000000}`)
	client := connect(t, "lab")
	training, stop := context.WithCancel(t.Context())
	done := make(chan error)
	if _, err := client.Distill(t.Context(), "run", slm.Distillation{Teacher: "slow"}, nil); err != nil {
		t.Fatal(err)
	}
	go func() { _, err := client.Steps(training, "run", 1000, nil); done <- err }()
	eventually(t, "training", func() bool {
		jobs := status(t).Jobs
		return len(jobs) > 0 && jobs[0].Done > 0
	})
	path := filepath.Join(t.TempDir(), "student")
	if _, err := client.Export(t.Context(), "tiny", kernelext.Export{Dir: path}, nil); err != nil {
		t.Errorf("beside training: %v", err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	_, err := client.Export(ctx, "slow", kernelext.Export{Dir: path}, func(e kernelext.Event) {
		if e.Done > 0 {
			interrupt()
		}
	})
	if stopped := (*kernelext.InterruptedError)(nil); !errors.As(err, &stopped) {
		t.Errorf("an interrupted export: %v", err)
	}
	stop()
	<-done
}
