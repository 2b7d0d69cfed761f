package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// progress shows one step at work. On a terminal it is one live line; in a log it is a line at
// the start, one now and then so that nobody thinks the step hangs, and one at the end.
type progress struct {
	out   io.Writer
	live  bool
	label string // "[3/9] libtokenizers.a"
	start time.Time
	quit  chan struct{}
	done  sync.WaitGroup

	mu   sync.Mutex
	note string
}

// logEvery is how often a step that takes long says so in a log.
const logEvery = 20 * time.Second

func startProgress(out io.Writer, label string) *progress {
	p := &progress{out: out, live: isTerminal(out), label: label, start: time.Now(), quit: make(chan struct{})}
	p.done.Add(1)
	go p.loop()
	return p
}

// Note says what the step does now, such as "compiling 120/143".
func (p *progress) Note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note = fmt.Sprintf(format, args...)
}

func (p *progress) loop() {
	defer p.done.Done()
	every := logEvery
	if p.live {
		every = 200 * time.Millisecond
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-p.quit:
			return
		case <-ticker.C:
			p.mu.Lock()
			p.print(p.note)
			p.mu.Unlock()
		}
	}
}

// End stops the display and leaves the step's last line.
func (p *progress) End(outcome string) {
	close(p.quit)
	p.done.Wait()
	p.print(outcome)
	if p.live {
		fmt.Fprintln(p.out)
	}
}

func (p *progress) print(note string) {
	line := fmt.Sprintf("%s … %s  %s", p.label, note, seconds(time.Since(p.start)))
	if !p.live {
		fmt.Fprintln(p.out, line)
		return
	}
	if runes := []rune(line); len(runes) > 110 {
		line = string(runes[:110])
	}
	fmt.Fprint(p.out, "\r\x1b[K"+line)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// firstLine shortens a tool's output line for the live line.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if runes := []rune(s); len(runes) > 60 {
		s = string(runes[:60]) + "…"
	}
	return s
}
