package kernelext

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

// Client speaks to the host for one lab. It is safe for use by several goroutines.
//
// A client whose host has gone starts a new one at its next call: a lab's records and checkpoints are on disk.
type Client struct {
	home   string
	lab    string
	folder string

	mu sync.Mutex
	at *attachment
}

// attachment is a connection to one host process.
type attachment struct {
	conn   *nats.Conn
	file   HostFile
	closed chan struct{} // closes with the connection
}

// Connect opens a lab, and starts or replaces the host when that is needed.
//
// It fails when the lab is not set up, when the host does not start, when a busy host has another version, and when the
// lab's folder cannot be written; each error says what to do.
func Connect(ctx context.Context, lab string) (*Client, error) {
	home, err := Home()
	if err != nil {
		return nil, err
	}
	if err := CheckName("lab", lab); err != nil {
		return nil, err
	}
	c := &Client{home: home, lab: lab}
	if _, err := c.attached(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends the connection. Work in progress that this client asked for stops at its next step boundary.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at != nil {
		c.at.conn.Close()
		c.at = nil
	}
}

// Folder is where the lab's records and weights are.
func (c *Client) Folder() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.folder
}

// attached returns a living connection to a host that has this lab open.
func (c *Client) attached(ctx context.Context) (*attachment, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at != nil && c.at.lives() {
		return c.at, nil
	}
	at, hello, err := attach(ctx, c.home, c.lab)
	if err != nil {
		return nil, err
	}
	c.at, c.folder = at, hello.Folder
	return at, nil
}

// attach finds a usable host or makes one: the fast path takes no lock.
func attach(ctx context.Context, home, lab string) (*attachment, Hello, error) {
	if at, err := find(home); err == nil {
		hello, err := greet(ctx, at, lab)
		if err == nil && hello.usable() {
			return at, hello, nil
		}
		at.conn.Close()
		if hostError := (*Error)(nil); errors.As(err, &hostError) && at.file.Version == Version {
			return nil, Hello{}, err // the host answered: another one would answer the same
		}
	}
	unlock, err := lockStart(ctx, home)
	if err != nil {
		return nil, Hello{}, err
	}
	defer unlock()
	at, err := findOrStart(ctx, home)
	if err != nil {
		return nil, Hello{}, err
	}
	hello, err := greet(ctx, at, lab)
	if err != nil {
		at.conn.Close()
		return nil, Hello{}, err
	}
	return at, hello, nil
}

// usable reports whether this client may work with a host.
func (h Hello) usable() bool { return h.Version == Version && !h.Outdated && !h.Stopping }

// findOrStart runs under the start lock.
func findOrStart(ctx context.Context, home string) (*attachment, error) {
	at, err := findPatiently(ctx, home)
	if err != nil {
		return startHost(ctx, home)
	}
	hello, helloErr := greet(ctx, at, "")
	if helloErr == nil && hello.usable() {
		return at, nil
	}
	err = stopAttached(ctx, home, at, !hello.Stopping)
	at.conn.Close()
	if hostError := (*Error)(nil); errors.As(err, &hostError) && hostError.Code == Busy {
		if at.file.Version == Version {
			return dial(home, at.file) // only its binary is older: it may finish its work, and is replaced when it is idle
		}
		return nil, fmt.Errorf("the host (process %d) has version %s, this program has %s, and the host is at work: "+
			"wait for it, or run `go run ./kernelext/lab stop`; it keeps what is done", at.file.PID, at.file.Version, Version)
	}
	if err != nil {
		return nil, fmt.Errorf("the host (process %d, version %s) must be replaced, but does not stop: %w; run `go run ./kernelext/lab stop`",
			at.file.PID, at.file.Version, err)
	}
	return startHost(ctx, home)
}

// find connects to the host that the host file names.
func find(home string) (*attachment, error) {
	f, err := ReadHostFile(home)
	if err != nil {
		return nil, err
	}
	return dial(home, f)
}

// findPatiently is find, except that it waits for a living host which the host file does not lead to: it is stopping,
// or it is about to put its file right.
func findPatiently(ctx context.Context, home string) (*attachment, error) {
	deadline := time.Now().Add(5 * time.Second)
	for {
		at, err := find(home)
		if err == nil || !hostLives(home) || time.Now().After(deadline) {
			return at, err
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// hostLives reports whether a host holds the lock of a home.
func hostLives(home string) bool {
	file, err := os.Open(filepath.Join(hostFolder(home), "lock"))
	if err != nil {
		return false
	}
	defer file.Close()
	return errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// lives asks the host's server, by which the end of one that has just ended is noticed.
func (at *attachment) lives() bool {
	_ = at.conn.FlushTimeout(time.Second) // a busy host may take longer, and lives
	return !at.conn.IsClosed()
}

// dial connects with the token of a host file.
func dial(home string, f HostFile) (*attachment, error) {
	at := &attachment{file: f, closed: make(chan struct{})}
	var err error
	at.conn, err = nats.Connect(f.URL, nats.Token(f.Token), nats.NoReconnect(), nats.Timeout(2*time.Second),
		nats.Name("offshoot client"), nats.ClosedHandler(func(*nats.Conn) { close(at.closed) }),
		nats.PingInterval(10*time.Second), nats.MaxPingsOutstanding(3))
	if err != nil {
		return nil, fmt.Errorf("%s leads to no host: %w", hostFilePath(home), err)
	}
	return at, nil
}

func greet(ctx context.Context, at *attachment, lab string) (Hello, error) {
	var hello Hello
	err := at.call(ctx, VerbHello, HelloRequest{Version: Version, Lab: lab}, &hello)
	return hello, err
}

// callPatience bounds a call that the host answers at once.
const callPatience = 20 * time.Second

// call makes a request and reads the reply, or the host's [Error].
func (at *attachment) call(ctx context.Context, verb string, request, reply any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	msg, err := at.conn.RequestWithContext(ctx, Subject(verb), body)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the host (process %d) does not answer; see %s", at.file.PID, HostLogPath())
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrNoResponders):
		return errGone
	case err != nil:
		return err
	}
	if text := msg.Header.Get("Nats-Service-Error"); text != "" {
		return &Error{Code: Code(msg.Header.Get("Nats-Service-Error-Code")), Message: text}
	}
	return json.Unmarshal(msg.Data, reply)
}

// errGone is a host that went away under a client.
var errGone = errors.New("the host has gone; finished evaluations and the last checkpoint are kept: run the cell again to continue")

// stopAttached asks a host to stop and waits until its process has let go of the home.
func stopAttached(ctx context.Context, home string, at *attachment, onlyIdle bool) error {
	err := at.call(ctx, VerbStop, StopRequest{OnlyIdle: onlyIdle}, &Stopping{})
	if err != nil && !errors.Is(err, errGone) { // one that was already stopping may go before it answers
		return err
	}
	deadline := time.Now().Add(90 * time.Second)
	for hostLives(home) {
		if time.Now().After(deadline) {
			return fmt.Errorf("the host (process %d) is still saving after 90 s; see %s", at.file.PID, hostLogPath(home))
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// ErrNoHost says that no host runs for this home.
var ErrNoHost = errors.New("no host is running")

// HostStatus asks the running host for its status; it starts none: see [ErrNoHost].
func HostStatus(ctx context.Context) (Status, error) {
	_, at, err := running(ctx)
	if err != nil {
		return Status{}, err
	}
	defer at.conn.Close()
	var status Status
	err = at.call(ctx, VerbStatus, struct{}{}, &status)
	return status, err
}

// StopHost stops the running host and waits until it has gone. Work in progress ends at its next step boundary and is
// kept. Without a host it returns [ErrNoHost].
func StopHost(ctx context.Context) error {
	home, at, err := running(ctx)
	if err != nil {
		return err
	}
	defer at.conn.Close()
	return stopAttached(ctx, home, at, false)
}

// running connects to the host that runs; one that is about to stop, or to put its file right, is waited for.
func running(ctx context.Context) (string, *attachment, error) {
	home, err := Home()
	if err != nil {
		return "", nil, err
	}
	at, err := findPatiently(ctx, home)
	switch {
	case err == nil:
		return home, at, nil
	case hostLives(home):
		return "", nil, fmt.Errorf("a host is running, but cannot be reached: %w", err)
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, ErrNoHost
	}
	return "", nil, fmt.Errorf("%w (%v)", ErrNoHost, err)
}
