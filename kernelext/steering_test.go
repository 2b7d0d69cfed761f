package kernelext

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// fakeRun takes a step at once, and tells at each what its reader does there.
type fakeRun struct {
	slm.Curve
	log      []string
	messages chan string
	at       map[int][]string // messages by the step that they come in
	fails    int              // at this step
}

func (f *fakeRun) train(ctx context.Context, steps int) error {
	first := f.Steps()
	for range steps {
		step := f.Steps() + 1
		if step == f.fails {
			f.fails = 0
			return errors.New("its loss is no number")
		}
		f.Points = append(f.Points, slm.Point{Step: step})
		for _, message := range f.at[step] {
			f.messages <- message
			if message != stepsButton {
				<-ctx.Done()
			}
		}
		if ctx.Err() != nil {
			f.log = append(f.log, fmt.Sprintf("%d of %d steps", f.Steps()-first, steps))
			return &InterruptedError{"stopped"}
		}
	}
	f.log = append(f.log, fmt.Sprintf("%d steps", steps))
	return nil
}

func (f *fakeRun) change(_ context.Context, c slm.Change) error {
	c.Step = f.Steps()
	f.Changes = append(f.Changes, c)
	now := holding(f.Curve)
	f.log = append(f.log, fmt.Sprintf("%s, %g", now.Loss, now.Schedule.Peak))
	return nil
}

func (f *fakeRun) curve() slm.Curve { return f.Curve }
func (f *fakeRun) refuse(why error) { f.log = append(f.log, "refused: "+why.Error()) }

func TestSteering(t *testing.T) {
	for name, test := range map[string]struct {
		say   []string // while nothing is trained
		at    map[int][]string
		fails int
		want  []string
	}{
		"steps":                 {say: []string{"steps", "steps"}, want: []string{"5 steps", "5 steps"}},
		"more while it trains":  {say: []string{"steps"}, at: map[int][]string{2: {"steps"}}, want: []string{"5 steps", "5 steps"}},
		"pause, and go on":      {say: []string{"steps", "steps"}, at: map[int][]string{2: {"pause"}}, want: []string{"2 of 5 steps", "5 steps"}},
		"a rate, then the rest": {say: []string{"steps"}, at: map[int][]string{2: {"rate=5e-4"}}, want: []string{"2 of 5 steps", "0.3 cross-entropy + 0.7 forward-kl, 0.0005", "3 steps"}},
		"in their order": {say: []string{"steps"}, at: map[int][]string{1: {"alpha=0.5", "temperature=2"}}, want: []string{"1 of 5 steps",
			"0.5 cross-entropy + 0.5 forward-kl, 0.001", "0.5 cross-entropy + 0.5 forward-kl at temperature 2, 0.001", "4 steps"}},
		"pause after a setting":         {say: []string{"steps"}, at: map[int][]string{3: {"alpha=0.5", "pause"}}, want: []string{"3 of 5 steps", "0.5 cross-entropy + 0.5 forward-kl, 0.001"}},
		"done while it trains":          {say: []string{"steps"}, at: map[int][]string{4: {"done"}}, want: []string{"4 of 5 steps"}},
		"a failure takes no more steps": {say: []string{"steps", "steps"}, fails: 3, want: []string{"refused: its loss is no number", "5 steps"}},
		"nonsense": {say: []string{"", "stop=1", "rate=", "rate=-1", "rate=NaN", "temperature=0", "alpha=1", "alpha=Inf", strings.Repeat("x", 5000)}, want: []string{
			`refused: the setting "" is no number`, `refused: there is no setting "stop=1"`, `refused: the setting "rate=" is no number`,
			"refused: change: schedule: peak -1,", "refused: change: schedule: peak NaN,", `refused: there is no setting "temperature=0"`,
			"refused: loss: alpha 1:", "refused: loss: alpha +Inf:", `refused: the setting "xxxxx`}},
	} {
		t.Run(name, func(t *testing.T) {
			loss := slm.CE(0.3).Plus(slm.ForwardKL(0.7))
			run := &fakeRun{Curve: slm.Curve{Distillation: slm.Distillation{Loss: loss}.WithDefaults()}, messages: make(chan string), at: test.at, fails: test.fails}
			s := steering{run: run, steps: 5}
			for _, message := range test.say {
				for done := s.take(t.Context(), message); s.due > 0 && !done; {
					done = s.train(t.Context(), run.messages)
				}
			}
			if !slices.EqualFunc(run.log, test.want, strings.HasPrefix) {
				t.Errorf("got  %q\nwant %q", run.log, test.want)
			}
		})
	}
}

func TestSteeringEnds(t *testing.T) {
	run := &fakeRun{messages: make(chan string), at: map[int][]string{2: {"done"}}}
	go func() { run.messages <- "steps" }()
	(&steering{run: run, steps: 5}).follow(t.Context(), run.messages)
	if want := []string{"2 of 5 steps"}; !slices.Equal(run.log, want) {
		t.Errorf("done: %q, want %q", run.log, want)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	(&steering{run: run, steps: 5, due: 5}).follow(ctx, run.messages) // returns
}

func TestPanelShowsWhatHolds(t *testing.T) {
	c := slm.Curve{Name: `<img src=x onerror="alert(1)">`, Distillation: slm.Distillation{Loss: slm.CE(0.3).Plus(slm.ForwardKL(0.7))}.WithDefaults(),
		Points: []slm.Point{{Step: 7}}, Changes: []slm.Change{{Step: 7, Loss: slm.CE(0.5).Plus(slm.ForwardKL(0.5)).At(2)}}}
	page := (&panel{address: "/offshoot/1", steps: 20}).html(c)
	for _, want := range []string{">20 steps</button>", `name="rate" value="0.001"`, `name="temperature" value="2"`, `name="alpha" value="0.5"`, `steer("/offshoot/1")`} {
		if !strings.Contains(page, want) {
			t.Errorf("the panel lacks %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "<img") {
		t.Errorf("the run's name is not escaped:\n%s", page)
	}
	card := settingsCard(c).text
	for _, want := range []string{"steps done     7", "learning rate  0.001", "temperature    2", "α              0.5"} {
		if !strings.Contains(card, want) {
			t.Errorf("the card lacks %q:\n%s", want, card)
		}
	}
	c.Distillation.Loss, c.Changes = slm.CE(1), nil
	if page := (&panel{}).html(c); strings.Contains(page, "temperature") || strings.Contains(page, "alpha") {
		t.Errorf("a loss without a teacher has its settings:\n%s", page)
	}
}
