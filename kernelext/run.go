package kernelext

import (
	"context"
	"fmt"
	"time"

	"github.com/offshoot-ml/offshoot/slm"
)

// Run is a student in training: what was asked, and its curve as of the last call.
type Run struct {
	slm.Curve
	lab *Lab
}

// Steps trains for some more steps, from where the run stopped: same weights, optimizer state, data position and
// learning-rate schedule. Run the cell again for as many more. An interrupt stops at the next step boundary and keeps
// what is done.
func (r *Run) Steps(n int) {
	r.lab.do("run "+r.Name, func(ctx context.Context, d *display) (line string, err error) {
		d.points = r.Points
		c, err := r.lab.client.Steps(ctx, r.Name, n, d.watchRun)
		if err != nil {
			return "", err
		}
		r.Curve, d.points = c, c.Points
		return stepsLine(c, d), nil
	})
}

// watchRun is watch, except that a run which goes back to its checkpoint loses the points after it.
func (d *display) watchRun(e Event) {
	if e.Kind == Point {
		for n := len(d.points); n > 0 && d.points[n-1].Step >= e.Point.Step; n-- {
			d.points = d.points[: n-1 : n-1]
		}
	}
	d.watch(e)
}

// Continue continues a prompt by the student's likeliest tokens.
func (r *Run) Continue(prompt string, tokens int) string {
	return r.Generate(prompt, slm.Generation{Tokens: tokens})
}

// Generate continues a prompt with the student, for example by tokens drawn with a temperature.
func (r *Run) Generate(prompt string, g slm.Generation) string {
	var text string
	r.lab.do("run "+r.Name, func(ctx context.Context, d *display) (line string, err error) {
		text, err = r.lab.client.GenerateRun(ctx, r.Name, prompt, g, quiet(d))
		return "", err
	})
	return text
}

func stepsLine(c slm.Curve, d *display) string {
	last := c.Points[len(c.Points)-1]
	line := fmt.Sprintf("run %s: %s", c.Name, pointText(last, c.Points))
	took := time.Since(d.began).Seconds()
	tokens := float64(d.steps * c.Distillation.StepTokens())
	return fmt.Sprintf("%s · %.0f tokens/s · %s", line, tokens/took, duration(took))
}
