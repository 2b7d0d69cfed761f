package kernelext

import (
	"context"
	_ "embed"
	"fmt"
	"html"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/offshoot-ml/offshoot/kernelext/output"
	"github.com/offshoot-ml/offshoot/plots/frontend"
	"github.com/offshoot-ml/offshoot/slm"
)

// Controls puts the run into the reader's hand while the cell runs: a button takes 50 more steps, or as many as are given, another
// pauses, and the learning rate, the temperature and α change from the next step on. The curve grows below. It ends when the
// reader is done, or interrupts the cell. The same as calls: [Run.Steps], an interrupt, [Run.SetRate], [Run.SetTemperature],
// [Run.SetAlpha].
//
//	run.Watch(plots.LiveCurves(plots.Tokens)).Controls()
//
// Where nobody can use them, in a notebook that runs without a browser or in a program, it shows their values and returns.
func (r *Run) Controls(steps ...int) {
	if !frontend.Attended() {
		settingsCard(r.Curve).show()
		return
	}
	ctx, stop := interruptible()
	defer stop()
	p := &panel{address: frontend.NewAddress(), steps: 50, id: "offshoot-" + gonbui.UniqueId()}
	if len(steps) > 0 {
		p.steps = steps[0]
	}
	messages := frontend.Listen(ctx, p.address)
	p.draw(r.Curve)
	s := steering{run: &steeredRun{Run: r, panel: p, id: p.id + "-steps"}, steps: p.steps}
	s.follow(ctx, messages)
	settingsCard(r.Curve).send(p.id)
	output.Sync()
}

// steeredRun is a run that is trained and changed below its panel.
type steeredRun struct {
	*Run
	panel *panel
	id    string // of the output below
}

func (r *steeredRun) display() *display {
	d := newDisplay("run " + r.Name)
	d.id, d.points = r.id, r.Points
	return d
}

func (r *steeredRun) train(ctx context.Context, steps int) error {
	d := r.display()
	err := r.Run.train(ctx, d, slm.Until{Steps: steps})
	if err == nil {
		d.finish(stepsLine(r.Curve, d))
		return nil
	}
	if c, readErr := r.lab.client.Curve(context.WithoutCancel(ctx), r.Name); readErr == nil {
		r.Curve, d.points = c, c.Points
	}
	d.finish(fmt.Sprintf("run %s: paused at step %d", r.Name, r.Curve.Steps()))
	return err
}

func (r *steeredRun) change(ctx context.Context, c slm.Change) error {
	curve, err := r.lab.client.Change(ctx, r.Name, c, nil)
	if err == nil {
		r.Curve = curve
		r.display().finish(fmt.Sprintf("run %s: %s", r.Name, r.changed()))
		r.panel.draw(curve) // what is drawn anew later, or saved, is as it is set
	}
	return err
}

func (r *steeredRun) curve() slm.Curve { return r.Curve }

// refuse says why something was not done, and puts the controls back to what holds.
func (r *steeredRun) refuse(why error) {
	r.display().finish(fmt.Sprintf("run %s: %s", r.Name, firstLine(why)))
	r.panel.draw(r.Curve)
}

// setting is a control: what it is called, and what it is set to.
type setting struct {
	name      string // in messages
	label     string
	value     float64
	low, high float64 // of a slider; where they are equal, it is a field
	step      float64
}

// settings are what a reader may change of a run: what its loss does not have is left out.
func settings(now slm.Distillation) []setting {
	all := []setting{{name: rateSetting, label: "learning rate", value: now.Schedule.Peak}}
	if t, ok := now.Loss.Temperature(); ok {
		all = append(all, setting{name: temperatureSetting, label: "temperature", value: t, low: 0.5, high: max(8, t), step: 0.5})
	}
	if alpha, ok := now.Loss.Alpha(); ok {
		all = append(all, setting{name: alphaSetting, label: "α", value: alpha, low: 0.05, high: 0.95, step: 0.05})
	}
	return all
}

// settingsCard is what stays of controls that nobody can use any more, or yet.
func settingsCard(c slm.Curve) shown {
	out := card{title: "Controls of run " + c.Name}
	out.add("steps done", "%s", slm.Thousands(int64(c.Steps())))
	for _, s := range settings(holding(c)) {
		out.add(s.label, "%.4g", s.value)
	}
	return out.shown()
}

//go:embed controls.js
var controlsScript string

// panel is the controls on the page.
type panel struct {
	address string // to which it sends messages
	steps   int    // of the button
	id      string // of its output
}

// draw shows the controls as they are set.
func (p *panel) draw(c slm.Curve) {
	shown{p.html(c), settingsCard(c).text}.send(p.id)
}

func (p *panel) html(c slm.Curve) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<div class="offshoot-controls" data-address="%s" style="%s"><div style="%s">%s</div><div style="%s">`,
		p.address, cardStyle, titleStyle, html.EscapeString("Run "+c.Name), controlsStyle)
	for _, button := range [][2]string{{stepsButton, fmt.Sprintf("%d steps", p.steps)}, {pauseButton, "pause"}, {doneButton, "done"}} {
		fmt.Fprintf(&b, `<button type="button" name="%s" style="%s">%s</button>`, button[0], buttonStyle, button[1])
	}
	for _, s := range settings(holding(c)) {
		fmt.Fprintf(&b, `<label style="%s">%s %s</label>`, quietStyle, s.label, s.input())
	}
	fmt.Fprintf(&b, `<span data-said=""></span></div></div><script>(function () {`+"\n%s%s"+`steer("%s"); })();</script>`,
		frontend.Script, controlsScript, p.address)
	return b.String()
}

// input is a slider with its value beside it, or a field.
func (s setting) input() string {
	if s.low == s.high {
		return fmt.Sprintf(`<input type="number" name="%s" value="%g" min="0" step="any" style="%s"/>`, s.name, s.value, fieldStyle)
	}
	return fmt.Sprintf(`<input type="range" name="%s" value="%g" min="%g" max="%g" step="%g" style="width:9em;vertical-align:middle"/> <output>%.4g</output>`,
		s.name, s.value, s.low, s.high, s.step, s.value)
}

const (
	controlsStyle = "display:flex;flex-wrap:wrap;align-items:center;gap:.5em 1em"
	buttonStyle   = "padding:.25em .9em;border:1px solid var(--jp-border-color1,#888);border-radius:4px;cursor:pointer;" +
		"background:var(--jp-layout-color2,#eee);color:var(--jp-ui-font-color1,inherit);font:inherit"
	fieldStyle = "width:7em;padding:.15em .4em;border:1px solid var(--jp-border-color1,#888);border-radius:4px;" +
		"background:var(--jp-layout-color0,#fff);color:var(--jp-ui-font-color1,inherit);font:inherit"
)
