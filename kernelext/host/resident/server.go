package resident

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/offshoot-ml/offshoot/kernelext"
)

const (
	loopback   = "127.0.0.1"
	maxPayload = 8 << 20
)

// serve starts the NATS server and the service on it, and fills the host file.
func (h *Host) serve() error {
	if err := h.portIsFree(); err != nil {
		return err
	}
	token := newToken(32)
	port := h.settings.Port
	if port == 0 {
		port = server.RANDOM_PORT
	}
	var err error
	h.server, err = server.NewServer(&server.Options{ServerName: "offshoot", Host: loopback, Port: port, Authorization: token,
		MaxPayload: maxPayload, NoSigs: true, PingInterval: 5 * time.Second, MaxPingsOut: 3})
	if err != nil {
		return err
	}
	h.server.SetLogger(serverLog{h.log}, false, false)
	go h.server.Start()
	if !h.server.ReadyForConnections(10 * time.Second) {
		h.server.Shutdown()
		return fmt.Errorf("the NATS server does not start on %s", net.JoinHostPort(loopback, strconv.Itoa(h.settings.Port)))
	}
	h.conn, err = nats.Connect("", nats.InProcessServer(h.server), nats.Token(token), nats.Name("offshoot host"))
	if err != nil {
		h.server.Shutdown()
		return err
	}
	h.file = kernelext.HostFile{URL: h.server.ClientURL(), Token: token, PID: os.Getpid(), Version: h.settings.Version, Started: h.started}
	h.service, err = micro.AddService(h.conn, micro.Config{Name: "offshoot", Version: h.settings.Version,
		Description: "grows small language models out of large ones", QueueGroupDisabled: true})
	if err != nil {
		return err
	}
	if err := h.addVerbs(); err != nil {
		return err
	}
	return h.conn.Flush() // from here on the server knows the verbs
}

// portIsFree says in plain words when a port that was asked for is taken.
func (h *Host) portIsFree() error {
	if h.settings.Port == 0 {
		return nil
	}
	address := net.JoinHostPort(loopback, strconv.Itoa(h.settings.Port))
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("the host cannot listen on %s: %w; set OFFSHOOT_PORT to another port, or to 0 for a free one", address, err)
	}
	return listener.Close()
}

// listened reports whether a client listens to a subject.
func (h *Host) listened(subject string) bool {
	return h.server.GlobalAccount().SubscriptionInterest(subject)
}

// newToken is n random bytes in hexadecimal.
func newToken(n int) string {
	token := make([]byte, n)
	rand.Read(token) // never fails
	return hex.EncodeToString(token)
}

// serverLog writes the NATS server's warnings and errors into the host's log.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(string, ...any) {}
func (l serverLog) Debugf(string, ...any)  {}
func (l serverLog) Tracef(string, ...any)  {}

func (l serverLog) Warnf(format string, args ...any) {
	l.log.Warn("nats", "message", fmt.Sprintf(format, args...))
}

func (l serverLog) Errorf(format string, args ...any) {
	l.log.Error("nats", "message", fmt.Sprintf(format, args...))
}

func (l serverLog) Fatalf(format string, args ...any) {
	l.log.Error("nats", "message", fmt.Sprintf(format, args...))
}
