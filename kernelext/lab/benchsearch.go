package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// searchLab holds the searches of `lab bench search`, so that it goes on where it was stopped, and so that a notebook can
// show them.
const searchLab = "search-quality"

// benchSearch runs the studies of [slm.Quality] in the resident host, as far as the lab does not hold them already, and
// prints what they say. Nearly all of the time goes into evaluating candidates, and that into the teacher's head.
func benchSearch(ctx context.Context, l *lab, teacher string, quick, asJSON bool) error {
	return l.withTeacher(ctx, searchLab, teacher, func(client *kernelext.Client, info kernelext.TeacherInfo) error {
		scale := slm.FullScale
		if quick {
			scale = slm.QuickScale
		}
		quality := scale.Of(info.Config)
		first := quality.Strategies.Trials()[0].Search
		found, err := runStudies(ctx, client, l.stderr, quality.Studies())
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return err
		case asJSON:
			return printJSON(l.stdout, quality.Answers(found))
		}
		fmt.Fprintf(l.stdout, "%s: %s parameters, loss %.3f. Losses in nats per token, means over %d seeds (least to most); %d evaluations a search, %d tokens each\n",
			info.Config.Name, slm.Count(slm.Subnet{}.Parameters(info.Config).Total()), info.Loss, scale.Seeds, first.Evaluations(), first.Tokens)
		return quality.Answers(found).Write(l.stdout)
	})
}

// withTeacher does something in a lab of the resident host that has loaded a teacher; what is missing is set up first.
func (l *lab) withTeacher(ctx context.Context, lab, teacher string, do func(*kernelext.Client, kernelext.TeacherInfo) error) error {
	if err := l.prepare(ctx); err != nil {
		return err
	}
	defer l.useHome()()
	client, err := kernelext.Connect(ctx, lab)
	if err != nil {
		return err
	}
	defer client.Close()
	info, err := client.Teacher(ctx, teacher, nil)
	if err != nil {
		return err
	}
	return do(client, info)
}

// searcher is what runs a search: a [kernelext.Client].
type searcher interface {
	Search(ctx context.Context, name string, search slm.Search, watch func(kernelext.Event)) (slm.Population, error)
}

// runStudies runs every search of the studies, and returns them by their names.
func runStudies(ctx context.Context, client searcher, out io.Writer, studies []slm.Study) (map[string]slm.Population, error) {
	var trials []slm.Trial
	for _, s := range studies {
		trials = append(trials, s.Trials()...)
	}
	pace := newStudyPace(trials)
	found := map[string]slm.Population{}
	for i, t := range trials {
		watch := &trialWatch{out: out, label: fmt.Sprintf("[%d/%d] %s", i+1, len(trials), t.Name), pace: pace, trial: t}
		p, err := client.Search(ctx, t.Name, t.Search, watch.event)
		watch.end(p, err)
		if err != nil {
			return found, fmt.Errorf("search %s: %w", t.Name, err)
		}
		found[t.Name] = p
	}
	return found, nil
}

// studyPace estimates the time left from the work of the evaluations so far.
type studyPace struct {
	left    float64 // work
	done    float64 // work, in this process
	seconds float64 // it took
}

func newStudyPace(trials []slm.Trial) *studyPace {
	p := &studyPace{}
	for _, t := range trials {
		p.left += float64(t.Search.Evaluations()) * evaluationWork(t.Search)
	}
	return p
}

// trainingWork is how many tokens are evaluated in the time in which one is trained on, with the teacher: measured roughly.
const trainingWork = 8

// evaluationWork is that of one candidate, in evaluated tokens.
func evaluationWork(s slm.Search) float64 {
	return float64(s.Tokens + trainingWork*s.Warm.Steps*s.Warm.Batch*s.Warm.SeqLen)
}

// evaluated counts a candidate.
func (p *studyPace) evaluated(work, seconds float64) {
	p.left, p.done, p.seconds = p.left-work, p.done+work, p.seconds+seconds
}

func (p *studyPace) String() string {
	if p.done == 0 {
		return ""
	}
	return fmt.Sprintf(", %s left in all", time.Duration(p.left*p.seconds/p.done*float64(time.Second)).Round(time.Second))
}

// trialWatch shows one search at work; one that was finished before shows nothing.
type trialWatch struct {
	out   io.Writer
	label string
	pace  *studyPace
	trial slm.Trial
	line  *progress
	seen  int // candidates, in this process
}

func (w *trialWatch) event(e kernelext.Event) {
	if w.line == nil {
		w.line = startProgress(w.out, w.label)
	}
	if e.Kind != kernelext.Candidate {
		return
	}
	if w.seen == 0 { // what an earlier run evaluated
		w.pace.left -= float64(e.Done-1) * evaluationWork(w.trial.Search)
	}
	w.seen++
	w.pace.evaluated(evaluationWork(w.trial.Search), e.Candidate.Seconds)
	w.line.Note("%d of %d evaluations%s", e.Done, e.Total, w.pace)
}

func (w *trialWatch) end(p slm.Population, err error) {
	if err == nil && w.seen == 0 {
		w.pace.left -= float64(w.trial.Search.Evaluations()) * evaluationWork(w.trial.Search)
	}
	switch {
	case w.line == nil:
	case err != nil:
		w.line.End("stopped")
	default:
		w.line.End(fmt.Sprintf("best loss %.3f%s", p.Best().Loss, w.pace))
	}
}
