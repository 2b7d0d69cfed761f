package resident_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// A run is evaluated as of its last checkpoint, or of the best that it kept; the data comes back as it was asked for.
func TestEvaluateRun(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "lab")
	distill(t, client, "run")
	best, curve := slm.Point{Validation: math.Inf(1)}, slm.Curve{}
	for increments := 0; increments < 2 || best.Step == curve.Steps(); increments++ { // until the best is not the last
		var err error
		if curve, err = client.Steps(t.Context(), "run", 5, nil); err != nil || increments > 4 {
			t.Fatal(err, best)
		}
		if p := curve.Points[len(curve.Points)-1]; p.Validation < best.Validation {
			best = p
		}
	}
	data := slm.Data{Paths: []string{"notes.txt"}}
	last, err := client.EvaluateRun(t.Context(), "run", slm.Evaluation{Data: data, Whole: true}, nil)
	want := slm.Evaluation{Data: data, Whole: true, Tokens: 16384, SeqLen: 128}
	if err != nil || last.Steps != curve.Steps() || last.Loss != curve.Validation() || !reflect.DeepEqual(*last.Evaluation, want) {
		t.Errorf("the last checkpoint: %+v of %+v, %v", last, last.Evaluation, err)
	}
	found, err := client.EvaluateRun(t.Context(), "run", slm.Evaluation{Best: true}, nil)
	if err != nil || found.Steps != best.Step || found.Loss != best.Validation || found.Model != "run" {
		t.Errorf("the best checkpoint: %+v, %v; want that of step %d with %g", found, err, best.Step, best.Validation)
	}
}

// An interrupt ends an evaluation in between.
func TestEvaluateTeacher(t *testing.T) {
	home := newHome(t, nil)
	putTeacher(t, home, "slow", `{"Wait": 200000000}`)
	client := connect(t, "lab")
	ctx, interrupt := context.WithCancel(t.Context())
	_, err := client.Evaluate(ctx, "slow", slm.Evaluation{}, func(e kernelext.Event) {
		if e.Done > 0 {
			interrupt()
		}
	})
	if stopped := (*kernelext.InterruptedError)(nil); !errors.As(err, &stopped) {
		t.Errorf("an interrupted evaluation: %v", err)
	}
	found, err := client.Evaluate(t.Context(), "tiny", slm.Evaluation{Tokens: 256}, nil)
	if err != nil || found.Model != "tiny" || found.Loss != 2.5 || found.Evaluation.Tokens != 256 {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestBadEvaluations(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "lab")
	_, err := client.EvaluateRun(t.Context(), "none", slm.Evaluation{}, nil)
	wantError(t, err, kernelext.Unknown, "none")
	_, err = client.Evaluate(t.Context(), "tiny", slm.Evaluation{Tokens: -1}, nil)
	wantError(t, err, kernelext.Invalid, "-1 tokens")
	_, err = client.Evaluate(t.Context(), "tiny", slm.Evaluation{Data: slm.Data{Name: "a/b/c"}}, nil)
	wantError(t, err, kernelext.Invalid, "not the name of a data set")
	_, err = client.Evaluate(t.Context(), "tiny", slm.Evaluation{Best: true}, nil)
	wantError(t, err, kernelext.Invalid, "one of a run")
}
