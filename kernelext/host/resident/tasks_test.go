package resident_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
)

// lmEval puts a program in the place of the Python that has lm-eval. It reads the request, and answers as the test says.
func lmEval(t *testing.T, home, shell string) {
	t.Helper()
	python := filepath.Join(home, "references", "bin", "python")
	if err := os.MkdirAll(filepath.Dir(python), 0o755); err != nil {
		t.Fatal(err)
	}
	content := "#!/bin/sh\nread -r request\nout=$(echo \"$request\" | sed 's/.*\"out\":\"\\([^\"]*\\)\".*/\\1/')\n" + shell + "\n"
	if err := os.WriteFile(python, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

// A run's student is exported as it is, measured, and its scores are in the records.
func TestTasks(t *testing.T) {
	home := newHome(t, map[string]string{"OFFSHOOT_REFERENCES": ""})
	client := connect(t, "lab")
	distill(t, client, "run")
	if _, err := client.Steps(t.Context(), "run", 3, nil); err != nil {
		t.Fatal(err)
	}
	_, err := client.TasksRun(t.Context(), "run", kernelext.Tasks{Names: []string{"arc"}}, nil)
	wantError(t, err, kernelext.NotInstalled, "setup --references")
	lmEval(t, home, `printf 'Running:  50%%|##  | 1/2 [00:00<00:00]\n' >&2
echo '{"results": {"arc": {"acc,none": 0.25, "acc_stderr,none": 0.125, "sample_len": 12}}, "lm_eval_version": "1.0"}' > "$out"`)
	told := false
	found, err := client.TasksRun(t.Context(), "run", kernelext.Tasks{Names: []string{"arc"}, Limit: 12}, func(e kernelext.Event) {
		told = told || e.Message == "Running" && e.Done == 1 && e.Total == 2
	})
	if err != nil || !told || len(found.Scores) != 1 || *found.Scores[0].StdErr != 0.125 || found.Steps != 7 || found.Tasks.Limit != 12 {
		t.Fatalf("%+v, %v; progress: %t", found, err, told)
	}
	student := filepath.Join(home, "labs", "lab", "exports", "runs", "run")
	if e := exported(t, student); e.Run == nil || e.Run.Curve.Steps() != 3 || filepath.Dir(found.File) != student+".lm-eval" || !strings.Contains(read(t, found.File), "acc_stderr") {
		t.Errorf("exported %+v, results in %s", e, found.File)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(home, "labs", "lab", "lab.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var row string
	if err := db.QueryRow("SELECT run || step || task || metric || filter || value || stderr || documents || lm_eval FROM scores").Scan(&row); err != nil || row != "run7arcacc0.250.125121.0" {
		t.Errorf("the records hold %q, %v", row, err)
	}
	contents, err := client.Contents(t.Context())
	if err != nil || len(contents.Runs) != 1 || !reflect.DeepEqual(contents.Runs[0].Scores, found.Scores) {
		t.Errorf("the lab has %+v, %v; measured %+v", contents.Runs, err, found.Scores)
	}
	if _, err := client.Tasks(t.Context(), "tiny", kernelext.Tasks{Names: []string{"arc"}}, nil); err != nil {
		t.Errorf("of a teacher: %v", err)
	}
}

func TestTasksFail(t *testing.T) {
	home := newHome(t, map[string]string{"OFFSHOOT_REFERENCES": ""})
	client := connect(t, "lab")
	lmEval(t, home, `echo '{"error": "lm-eval has no task", "kind": "task"}' > "$out"`)
	_, err := client.Tasks(t.Context(), "tiny", kernelext.Tasks{Names: []string{"arc"}}, nil)
	wantError(t, err, kernelext.Unknown, "has no task")
	_, err = client.Tasks(t.Context(), "tiny", kernelext.Tasks{Names: []string{"/etc/passwd"}}, nil)
	wantError(t, err, kernelext.Invalid, "is not the name of a task")
	lmEval(t, home, "echo started >&2; sleep 60")
	ctx, interrupt := context.WithCancel(t.Context())
	_, err = client.Tasks(ctx, "tiny", kernelext.Tasks{Names: []string{"arc"}}, func(e kernelext.Event) {
		if e.Message == "starting lm-eval" {
			interrupt()
		}
	})
	if stopped := (*kernelext.InterruptedError)(nil); !errors.As(err, &stopped) || !strings.Contains(stopped.Message, "no scores yet") {
		t.Errorf("an interrupt: %v", err)
	}
}
