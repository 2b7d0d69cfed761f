package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
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
	if err := l.prepare(ctx); err != nil {
		return err
	}
	defer l.useHome()()
	client, err := kernelext.Connect(ctx, searchLab)
	if err != nil {
		return err
	}
	defer client.Close()
	info, err := client.Teacher(ctx, teacher, nil)
	if err != nil {
		return err
	}
	scale := slm.FullScale
	if quick {
		scale = slm.QuickScale
	}
	quality := scale.Of(info.Config)
	found, err := runStudies(ctx, client, l.stderr, quality.Studies())
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	case asJSON:
		return printJSON(l.stdout, quality.Answers(found))
	}
	return printAnswers(l.stdout, info, scale, quality.Answers(found))
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

// printAnswers writes the tables. Losses are in nats per token of held-out text, untrained sub-networks but for "warm".
func printAnswers(w io.Writer, teacher kernelext.TeacherInfo, scale slm.Scale, a slm.Answers) error {
	search := scale.Of(teacher.Config).Strategies.Variants[0].Search.WithDefaults()
	fmt.Fprintf(w, "%s: %s parameters, loss %.3f. Losses in nats per token; %d evaluations a search, %d tokens each; %d seeds: mean (least to most)\n\n",
		a.Teacher, slm.Count(slm.Subnet{}.Parameters(teacher.Config).Total()), teacher.Loss, search.Evaluations(), search.Tokens, scale.Seeds)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	printStrategies(table, a)
	printGains(table, "REORDERED, FIRST UNITS IMPORTANT", a.Reordered)
	printForesight(table, a)
	return table.Flush()
}

func printStrategies(table io.Writer, a slm.Answers) {
	fmt.Fprintln(table, "BIN\tSPACE, BEST FIRST\tEVOLUTION\tRANDOM\tEVOLUTION GAINS\tWON SEEDS\tBEST SPACE IN SEEDS")
	for _, ranking := range a.Rankings {
		for _, s := range ranking.Spaces {
			fmt.Fprintf(table, "%s\t%s\t%s\t", s.Bin, s.Space, spread(s.Best))
			for _, r := range a.Drawn {
				if r.Bin == s.Bin && r.Space == s.Space {
					fmt.Fprint(table, spread(r.Best))
				}
			}
			gain, wins := "", ""
			for _, g := range a.Gains {
				if g.Bin == s.Bin && g.Space == s.Space {
					gain, wins = signed(g.Spread), fmt.Sprintf("%d of %d", g.Wins, g.Spread.N)
				}
			}
			fmt.Fprintf(table, "\t%s\t%s\t%d of %d\n", gain, wins, s.Winning, s.Best.N)
		}
	}
}

func printGains(table io.Writer, title string, gains []slm.Gain) {
	if len(gains) == 0 {
		return
	}
	fmt.Fprintf(table, "\nBIN\t%s\tGAIN ABOVE %s\tWON SEEDS\n", title, strings.ToUpper(gains[0].Baseline))
	for _, g := range gains {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d of %d\n", g.Bin, g.Space, signed(g.Spread), g.Wins, g.Spread.N)
	}
}

func printForesight(table io.Writer, a slm.Answers) {
	fmt.Fprintln(table, "\nAN EARLY LOSS AGAINST A LATER ONE\tSPACE\tRANK CORRELATION (95%)\tEARLY BEST IS\tAND LOSES")
	line := func(what, space string, f slm.Foresight) {
		fmt.Fprintf(table, "%s\t%s\t%.2f (%.2f to %.2f)\t%d of %d\t%.3f\n", what, space, f.Rank, f.Low, f.High, f.Place, f.Candidates, f.Regret)
	}
	for _, f := range a.Warm {
		line("untrained, after a short distillation", f.Space, f.Foresight)
	}
	for _, steps := range [][]slm.Stepped{a.Text, a.Slice} {
		for _, s := range steps {
			for _, r := range s.Rungs {
				line(fmt.Sprintf("%d tokens, %d tokens", r.Tokens, s.Tokens), s.Space, r.Foresight)
			}
		}
	}
	for _, s := range a.Text {
		fmt.Fprintf(table, "halving over these, %.0f%% of the work\t%s\t\t%d of %d\t%.3f\n", 100*s.Work, s.Space, s.Place, s.Candidates, s.Regret)
	}
}

// spread is such as "10.912 (10.870 to 10.950)".
func spread(s slm.Spread) string { return fmt.Sprintf("%.3f (%.3f to %.3f)", s.Mean, s.Min, s.Max) }

// signed is spread with signs, of differences.
func signed(s slm.Spread) string { return fmt.Sprintf("%+.3f (%+.3f to %+.3f)", s.Mean, s.Min, s.Max) }
