package slm

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Write prints the answers as tables, in the order of the questions. Losses are in nats per token.
func (a Answers) Write(w io.Writer) error {
	for _, table := range []func(io.Writer) error{a.WriteStrategies, a.WriteReordered, a.WriteForesight} {
		fmt.Fprintln(w)
		if err := table(w); err != nil {
			return err
		}
	}
	return nil
}

// WriteStrategies prints the spaces of each bin, the best first, with evolution and random search in each. Means over seeds
// come with the least and the most; of the gain, what counts is whether it is above 0 in every seed.
func (a Answers) WriteStrategies(w io.Writer) error {
	table := newTable(w, "BIN", "SPACE, BEST FIRST", "EVOLUTION", "RANDOM", "EVOLUTION GAINS", "IN SEEDS", "BEST SPACE IN SEEDS")
	for _, ranking := range a.Rankings {
		for _, s := range ranking.Spaces {
			drawn := ""
			for _, r := range a.Drawn {
				if r.Bin == s.Bin && r.Space == s.Space {
					drawn = r.Best.String()
				}
			}
			gain, wins := s.among(a.Gains)
			table.row(s.Bin.String(), s.Space, s.Best.String(), drawn, gain, wins, fmt.Sprintf("%d of %d", s.Winning, s.Best.N))
		}
	}
	return table.Flush()
}

// WriteReordered prints what evolution finds when the teacher's units are ordered by importance, what that gains above the
// teacher as it is, and what evolution then gains above random search.
func (a Answers) WriteReordered(w io.Writer) error {
	table := newTable(w, "BIN", "SPACE", "IMPORTANT UNITS FIRST", "GAINS", "IN SEEDS", "EVOLUTION ABOVE RANDOM", "IN SEEDS")
	for _, s := range a.Ordered {
		gain, wins := s.among(a.Reordered)
		evolved, won := s.among(a.Evolved)
		table.row(s.Bin.String(), s.Space, s.Best.String(), gain, wins, evolved, won)
	}
	return table.Flush()
}

// among is the gain of a standing's bin and space in words; nothing where there is none.
func (s Standing) among(gains []Gain) (gain, wins string) {
	for _, g := range gains {
		if g.Bin == s.Bin && g.Space == s.Space {
			return g.Spread.signed(), fmt.Sprintf("%d of %d", g.Wins, g.Spread.N)
		}
	}
	return "", ""
}

// WriteForesight prints how well losses that come early foretell those that come later, and what choosing by them costs.
func (a Answers) WriteForesight(w io.Writer) error {
	table := newTable(w, "EARLY LOSS, LATER LOSS", "SPACE", "RANK CORRELATION (95%)", "EARLY BEST IS LATER", "AND LOSES")
	foresight := func(what, space string, f Foresight) {
		table.row(what, space, fmt.Sprintf("%.2f (%.2f to %.2f)", f.Rank, f.Low, f.High), fmt.Sprintf("%d of %d", f.Place, f.Candidates),
			fmt.Sprintf("%.3f", f.Regret))
	}
	for _, f := range a.Warm {
		foresight("untrained, trained", f.Space, f.Foresight)
	}
	for _, ladders := range [][]Stepped{a.Text, a.Slice} {
		for _, l := range ladders {
			for _, r := range l.Rungs {
				foresight(fmt.Sprintf("%d tokens, %d tokens", r.Tokens, l.Tokens), l.Space, r.Foresight)
			}
		}
	}
	for _, l := range a.Text {
		table.row(fmt.Sprintf("halving over these, %.0f%% of the work", 100*l.Work), l.Space, "", fmt.Sprintf("%d of %d", l.Place, l.Candidates),
			fmt.Sprintf("%.3f", l.Regret))
	}
	return table.Flush()
}

type table struct{ *tabwriter.Writer }

func newTable(w io.Writer, columns ...string) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row(columns...)
	return t
}

func (t table) row(cells ...string) { fmt.Fprintln(t, strings.Join(cells, "\t")) }

// String is such as "10.912 (10.870 to 10.950)".
func (s Spread) String() string { return fmt.Sprintf("%.3f (%.3f to %.3f)", s.Mean, s.Min, s.Max) }

// signed is String of differences.
func (s Spread) signed() string { return fmt.Sprintf("%+.3f (%+.3f to %+.3f)", s.Mean, s.Min, s.Max) }
