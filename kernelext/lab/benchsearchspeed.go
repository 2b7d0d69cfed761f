package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"text/tabwriter"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm"
)

// How much is measured.
const (
	speedSeq         = 129  // tokens in a window, of which 128 are predicted: as searches do
	raceCandidates   = 6    // sub-networks of each space that race
	raceTurns        = 5    // of each
	searchCandidates = 200  // of the searches whose compiling is measured
	watchEvaluations = 1000 // while which memory is watched
	settled          = 100  // evaluations after which it should not grow
	watchSpan        = 50   // evaluations over which it is averaged: what one leaves on the device is freed while the next begins
)

// speedTeacher is what candidates are drawn from.
type speedTeacher struct {
	name    string
	model   string // its reference
	config  slm.Config
	windows int       // that a race's candidates are evaluated on
	bins    []slm.Bin // of the races; the first is that of the searches, too
}

// smallTeacher is a GPT-NeoX with random weights: evaluating costs the same whatever it has learnt.
func smallTeacher(dir string) (speedTeacher, error) {
	c := slm.Config{Name: "gpt-neox-8x256", Family: slm.GPTNeoX, Layers: 8, Embd: 256, Heads: 8, QueryGroups: 8, HeadSize: 32, FFN: 1024,
		Vocab: 4096, Context: 512, NormEps: 1e-5, RopeTheta: 10000, RotaryFraction: 0.25, ParallelResidual: true}
	t := speedTeacher{name: c.Name, model: filepath.Join(dir, c.Name), config: c, windows: 16, bins: []slm.Bin{slm.Around(4e6, 0.05)}}
	return t, writeRandomModel(t.model, c)
}

// realTeacher is the lab's own.
func realTeacher() (speedTeacher, error) {
	c, err := slm.Published(benchTeacher)
	return speedTeacher{name: benchTeacher, model: benchTeacher, config: c, windows: 8, bins: []slm.Bin{slm.Around(30e6, 0.05), slm.Around(60e6, 0.05)}}, err
}

// searchSpeed is what `lab bench search speed` measures.
type searchSpeed struct {
	Cores    int            `json:"cores"`
	Backend  string         `json:"backend"`
	Races    []searchRace   `json:"races"`
	Skipped  string         `json:"whittle_skipped,omitempty"` // why there is nothing to compare with
	Searches []speedOfSpace `json:"searches"`
	Memory   memoryGrowth   `json:"memory"`
}

// benchSearchSpeed measures how fast candidates are evaluated, beside whittle, taking turns; how much of a search is compiling;
// and whether evaluating loses memory. Each is a process of its own. On a machine with a GPU both sides use it.
func benchSearchSpeed(ctx context.Context, l *lab, asJSON bool) error {
	return l.besideWhittle(ctx, func(b speedBench) error {
		s, err := l.measureSearchSpeed(ctx, b)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(l.stdout, s)
		}
		return s.print(l.stdout)
	})
}

// speedBench is what measurements beside whittle have in common.
type speedBench struct {
	dir         string // for their files; it is removed at the end
	small, real speedTeacher
	whittle     string // the Python that has it; "" without one
	skipped     string // why there is nothing to compare with
}

// besideWhittle sets up what is missing, and measures.
func (l *lab) besideWhittle(ctx context.Context, measure func(speedBench) error) error {
	if err := l.prepare(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(l.home, "bench-speed-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := speedBench{dir: dir, whittle: whittlePrograms().chosen(l, whittleVariable)}
	if b.whittle == "" {
		b.skipped = "needs whittle: lab setup --whittle"
	}
	if b.small, err = smallTeacher(dir); err != nil {
		return err
	}
	if b.real, err = realTeacher(); err != nil {
		return err
	}
	return measure(b)
}

func (l *lab) measureSearchSpeed(ctx context.Context, b speedBench) (s searchSpeed, err error) {
	s.Cores, s.Backend, s.Skipped = cores(), l.env().describeBackend(), b.skipped
	for _, t := range []speedTeacher{b.small, b.real} {
		for _, bin := range t.bins {
			race, err := l.raceWhittle(ctx, t, bin, b.whittle)
			if err != nil {
				return s, err
			}
			s.Races = append(s.Races, race)
		}
	}
	for _, t := range []speedTeacher{b.small, b.real} {
		for _, space := range []slm.Space{slm.CoarseUniform, slm.CoarseLayerWise, slm.FineUniform, slm.FineLayerWise} {
			found, err := l.searchOnce(ctx, t, space)
			if err != nil {
				return s, err
			}
			s.Searches = append(s.Searches, found)
		}
	}
	s.Memory, err = l.watchMemory(ctx, b.small)
	return s, err
}

// measureCommand is one measurement of the host's binary.
func (l *lab) measureCommand(what string, t speedTeacher, search slm.Search) (*exec.Cmd, error) {
	text, err := json.Marshal(search)
	if err != nil {
		return nil, err
	}
	return l.host("measure", "--model", t.model, "--what", what, "--seq", fmt.Sprint(speedSeq), "--windows", fmt.Sprint(t.windows), "--search", string(text))
}

// speedOfSpace is a search of a space: how long it took, and its compiling.
type speedOfSpace struct {
	Teacher    string  `json:"teacher"`
	Space      string  `json:"space"`
	Bin        string  `json:"bin"`
	Candidates int     `json:"candidates"`
	Programs   int     `json:"programs"`
	Late       int     `json:"late_programs"` // compiled after the search had begun
	Compiling  float64 `json:"compiling_seconds"`
	Seconds    float64 `json:"seconds"` // all of it
}

// share is the part of a search's time in which it compiles.
func (s speedOfSpace) share() float64 { return s.Compiling / s.Seconds }

// searchOnce evolves candidates on 1,024 tokens each.
func (l *lab) searchOnce(ctx context.Context, t speedTeacher, space slm.Space) (s speedOfSpace, err error) {
	search := slm.Search{Space: space, Bin: t.bins[0], Population: 40, Generations: 4, Offspring: 40}.WithDefaults()
	s = speedOfSpace{Teacher: t.name, Space: space.Name(), Bin: t.bins[0].String(), Candidates: search.Evaluations()}
	cmd, err := l.measureCommand(ask.Searching, t, search)
	if err != nil {
		return s, err
	}
	err = eachLine(ctx, cmd, func(e ask.Evaluated) {
		if s.Programs == 0 { // the preparation
			s.Programs, s.Compiling = e.Compiled, e.Seconds
		} else if e.Compiled > s.Programs+s.Late { // all of this evaluation is taken for compiling
			s.Late, s.Compiling = e.Compiled-s.Programs, s.Compiling+e.Seconds
		}
		s.Seconds += e.Seconds
	})
	return s, err
}

// memoryGrowth is what a host's process holds, in bytes.
type memoryGrowth struct {
	Evaluations int   `json:"evaluations"`
	Before      int64 `json:"before"` // mean of those that follow the first hundred
	After       int64 `json:"after"`  // and of the last
}

// growthOf compares what was resident after each evaluation. A search that ended early has no growth to tell.
func growthOf(resident []int64) memoryGrowth {
	m := memoryGrowth{Evaluations: len(resident)}
	if len(resident) < settled+watchSpan {
		return m
	}
	mean := func(bytes []int64) (sum int64) {
		for _, b := range bytes {
			sum += b
		}
		return sum / int64(len(bytes))
	}
	m.Before, m.After = mean(resident[settled:settled+watchSpan]), mean(resident[len(resident)-watchSpan:])
	return m
}

func (m memoryGrowth) growth() float64 { return float64(m.After-m.Before) / float64(m.Before) }

func (l *lab) watchMemory(ctx context.Context, t speedTeacher) (m memoryGrowth, err error) {
	search := slm.Search{Space: slm.FineLayerWise, Bin: t.bins[0], Population: watchEvaluations / 5, Generations: 4, Offspring: watchEvaluations / 5}.WithDefaults()
	cmd, err := l.measureCommand(ask.Searching, t, search)
	if err != nil {
		return m, err
	}
	var resident []int64
	if err := eachLine(ctx, cmd, func(e ask.Evaluated) { resident = append(resident, e.Resident) }); err != nil {
		return m, err
	}
	return growthOf(resident[1:]), nil // after the preparation
}

// eachLine runs a measurement and takes its answers, after the first line, which tells of the loading.
func eachLine(ctx context.Context, cmd *exec.Cmd, take func(ask.Evaluated)) error {
	r := &racer{name: "search", cmd: cmd}
	return running(ctx, []*racer{r}, func() error {
		for r.lines.Scan() {
			var e ask.Evaluated
			if err := json.Unmarshal(r.lines.Bytes(), &e); err != nil {
				return err
			}
			take(e)
		}
		return r.lines.Err()
	})
}

func (s searchSpeed) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "EVALUATING CANDIDATES\tMEASURED\tASKED\tHOW (%d cores, %s)\n", s.Cores, s.Backend)
	for _, r := range s.Races {
		r.print(table, s.Skipped)
	}
	fmt.Fprintf(table, "\nCOMPILING IN A SEARCH\tSHARE OF ITS TIME\tASKED\tHOW\n")
	for _, f := range s.Searches {
		fmt.Fprintf(table, "%s, %s\t%.1f%%\tat most 5%%\t%d programs in %.1f s before %d candidates of %s; %d later; %.1f s in all\n", f.Teacher, f.Space,
			100*f.share(), f.Programs, f.Compiling, f.Candidates, f.Bin, f.Late, f.Seconds)
	}
	fmt.Fprintf(table, "\nMEMORY\tGROWTH\tASKED\tHOW\n")
	if s.Memory.Before == 0 {
		fmt.Fprintf(table, "evaluations\tnot known here\tunder 5%%\tthis system does not tell\n")
		return table.Flush()
	}
	fmt.Fprintf(table, "%d evaluations\t%.1f%%\tunder 5%%\tfrom %s after the first %d to %s\n", s.Memory.Evaluations, 100*s.Memory.growth(),
		slm.Amount(float64(s.Memory.Before), "B"), settled, slm.Amount(float64(s.Memory.After), "B"))
	return table.Flush()
}
