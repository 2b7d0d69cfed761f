package resident

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/offshoot-ml/offshoot/kernelext"
)

// Settings of a host. The zero value of a field takes the default that is named beside it.
type Settings struct {
	Home          string        // OFFSHOOT_HOME; no default
	Port          int           // OFFSHOOT_PORT: of the NATS server; 0 for a free one
	IdleAfter     time.Duration // OFFSHOOT_IDLE, such as "30m" or "4" hours: end after that long without a request; 4 h
	IdleTrainers  int           // OFFSHOOT_TRAINERS: students whose training state stays in memory between cells; 2
	MemoryLimit   int64         // resident bytes above which idle students leave memory; 3 GiB
	ListenerCheck time.Duration // how often a job looks whether its client is there; 500 ms
	HealEvery     time.Duration // how often the host file is put right when it was changed; 1 s
	LockPatience  time.Duration // how long to wait for a stopping host; 5 s
	Version       string        // kernelext.Version
	HeldTokens    int           // on which a teacher's perplexity is measured; 2,048
}

// EnvironmentSettings reads the settings from the environment.
func EnvironmentSettings() (Settings, error) {
	home, err := kernelext.Home()
	if err != nil {
		return Settings{}, err
	}
	s := Settings{Home: home}
	if s.IdleAfter, err = hours("OFFSHOOT_IDLE"); err != nil {
		return s, err
	}
	if s.Port, err = number("OFFSHOOT_PORT", 65535); err != nil {
		return s, err
	}
	s.IdleTrainers, err = number("OFFSHOOT_TRAINERS", 1000)
	return s, err
}

// hours reads a duration, or a number of hours.
func hours(name string) (time.Duration, error) {
	text := os.Getenv(name)
	if text == "" {
		return 0, nil
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 {
		return time.Duration(n * float64(time.Hour)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s is %q: want hours or a duration, such as 4 or 30m", name, text)
	}
	return d, nil
}

func number(name string, most int) (int, error) {
	text := os.Getenv(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%s is %q: want a number from 0 to %d", name, text, most)
	}
	return n, nil
}

func (s Settings) withDefaults() Settings {
	s.IdleAfter = cmp.Or(s.IdleAfter, 4*time.Hour)
	s.IdleTrainers = cmp.Or(s.IdleTrainers, 2)
	s.MemoryLimit = cmp.Or(s.MemoryLimit, 3<<30)
	s.ListenerCheck = cmp.Or(s.ListenerCheck, 500*time.Millisecond)
	s.HealEvery = cmp.Or(s.HealEvery, time.Second)
	s.LockPatience = cmp.Or(s.LockPatience, 5*time.Second)
	s.Version = cmp.Or(s.Version, kernelext.Version)
	s.HeldTokens = cmp.Or(s.HeldTokens, 2048)
	return s
}

// Host is the resident process.
type Host struct {
	settings Settings
	engine   Engine
	log      *slog.Logger
	started  time.Time
	binary   *binary
	file     kernelext.HostFile

	server      *server.Server
	conn        *nats.Conn // to the own server, without a socket
	service     micro.Service
	accelerator queue

	backend struct {
		ready        chan struct{} // closes when the rest is set
		name, device string
		err          error
	}

	telling sync.Mutex // held while a search is asked about or told of
	labsMu  sync.Mutex
	labs    map[string]*lab

	mu       sync.Mutex
	jobs     []*job // in the order of their requests
	asked    time.Time
	stopping bool
	teachers map[string]*heldTeacher
	runs     []*heldRun // the least recently used first

	working sync.WaitGroup // jobs
	quit    chan string    // a reason to end
}

// Main runs a host until it is told to stop, and returns the exit status.
func Main(engine Engine, log io.Writer) int {
	logger := slog.New(slog.NewTextHandler(log, nil))
	settings, err := EnvironmentSettings()
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		signal.Ignore(syscall.SIGHUP)
		err = Run(ctx, settings, engine, logger)
	}
	if err != nil {
		logger.Error("host ends", "error", err)
		return 1
	}
	return 0
}

// Run is a host's life. It ends when ctx does, on request, or after idle hours; work stops at its next step boundary
// and is saved before it returns.
func Run(ctx context.Context, settings Settings, engine Engine, log *slog.Logger) error {
	settings = settings.withDefaults()
	folder := filepath.Join(settings.Home, "host")
	lock, err := lockHome(folder, settings.LockPatience)
	if err != nil {
		return err
	}
	defer lock.Close()
	h := &Host{settings: settings, engine: engine, log: log, started: time.Now(), asked: time.Now(), binary: ownBinary(),
		labs: map[string]*lab{}, teachers: map[string]*heldTeacher{}, quit: make(chan string, 1)}
	h.backend.ready = make(chan struct{})
	if err := h.serve(); err != nil {
		return err
	}
	go h.startBackend()
	if err := kernelext.WriteHostFile(settings.Home, h.file); err != nil {
		h.server.Shutdown()
		return unwritable(folder, err)
	}
	log.Info("host answers", "url", h.file.URL, "pid", h.file.PID, "version", settings.Version, "home", settings.Home,
		"idle_after", settings.IdleAfter)
	reason := h.untilQuit(ctx, lock)
	log.Info("host stops", "reason", reason)
	return h.stop()
}

// untilQuit heals the host file and watches for idleness until there is a reason to end. A home that was removed is one:
// no client finds this host any more, and a new home may have a host of its own.
func (h *Host) untilQuit(ctx context.Context, lock *os.File) string {
	heal := time.NewTicker(h.settings.HealEvery)
	defer heal.Stop()
	for {
		select {
		case <-ctx.Done():
			return "signal"
		case reason := <-h.quit:
			return reason
		case <-heal.C:
			if !inPlace(lock) {
				return "its home was removed"
			}
			h.healFile()
			if h.idleFor() > h.settings.IdleAfter {
				return fmt.Sprintf("idle for %s", h.settings.IdleAfter)
			}
		}
	}
}

// healFile writes the host file again when it is not this host's any more: removed, damaged, or with a stale token.
func (h *Host) healFile() {
	if f, err := kernelext.ReadHostFile(h.settings.Home); err == nil && f.Token == h.file.Token && f.URL == h.file.URL {
		return
	}
	if err := kernelext.WriteHostFile(h.settings.Home, h.file); err != nil {
		h.log.Warn("host file cannot be put right", "error", err)
		return
	}
	h.log.Warn("host file was not this host's; written again")
}

func (h *Host) idleFor() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.jobs) > 0 {
		return 0
	}
	return time.Since(h.asked)
}

// stop ends all work at its next boundary, then lets go of everything. The host file goes first: no new client comes.
func (h *Host) stop() error {
	err := kernelext.RemoveHostFile(h.settings.Home, os.Getpid())
	h.mu.Lock()
	h.stopping = true
	for _, j := range h.jobs {
		j.cancel(errStopping)
	}
	h.mu.Unlock()
	h.working.Wait()
	h.labsMu.Lock()            // for good: no lab is opened any more
	for _, r := range h.runs { // saved, unless the disk was full: it may have room by now
		if l, ok := h.labs[r.lab]; ok {
			err = errors.Join(err, h.save(l, r))
		}
		r.trainer.Close()
	}
	for _, l := range h.labs {
		err = errors.Join(err, l.close())
	}
	err = errors.Join(err, h.conn.Flush())
	h.conn.Close()
	h.server.Shutdown()
	h.server.WaitForShutdown()
	h.log.Info("host stopped", "uptime", time.Since(h.started).Round(time.Second))
	return err
}

// startBackend starts the accelerator while the host already answers.
func (h *Host) startBackend() {
	begin := time.Now()
	h.backend.name, h.backend.device, h.backend.err = h.engine.Backend(context.Background())
	close(h.backend.ready)
	if h.backend.err != nil {
		h.log.Error("no backend", "error", h.backend.err)
		return
	}
	h.log.Info("backend ready", "backend", h.backend.name, "device", h.backend.device, "took", time.Since(begin).Round(time.Millisecond))
}

// backendReady waits for the accelerator.
func (h *Host) backendReady(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return &kernelext.InterruptedError{Message: "stopped before the work began; run the cell again to begin it"}
	case <-h.backend.ready:
	}
	if h.backend.err != nil {
		return kernelext.Errorf(kernelext.Internal, "no backend computes here: %v; run `go run ./kernelext/lab doctor`, then `go run ./kernelext/lab stop`", h.backend.err)
	}
	return nil
}

// forget takes an ended job off the list.
func (h *Host) forget(ended *job) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, j := range h.jobs {
		if j == ended {
			h.jobs = append(h.jobs[:i:i], h.jobs[i+1:]...)
			break
		}
	}
	h.asked = time.Now()
}
