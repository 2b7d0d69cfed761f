package resident_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/offshoot-ml/offshoot/kernelext"
)

func TestFirstClientStartsTheHostAndTheNextAttaches(t *testing.T) {
	home := newHome(t, nil)
	first := connect(t, "one")
	began := status(t)
	second := connect(t, "two")
	s, err := second.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.PID != began.PID || s.PID == os.Getpid() {
		t.Errorf("the second client found process %d, the first %d, the test is %d", s.PID, began.PID, os.Getpid())
	}
	if s.Backend != "fake" || len(s.Labs) != 2 || s.Memory == 0 || s.Version != kernelext.Version || len(s.TeacherFiles) != 1 {
		t.Errorf("status is %+v", s)
	}
	if want := filepath.Join(home, "labs", "one"); first.Folder() != want {
		t.Errorf("folder %s, want %s", first.Folder(), want)
	}
}

// TestAClientGoesOnWithTheNextHost asks at once after a host has ended, in a process so busy that the client may not know yet that its
// connection is closed.
func TestAClientGoesOnWithTheNextHost(t *testing.T) {
	newHome(t, nil)
	client := connect(t, "one")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 8 {
		go func() {
			for t.Context().Err() == nil {
			}
		}()
	}
	for i := range 3 {
		before := status(t)
		if err := kernelext.StopHost(t.Context()); err != nil {
			t.Fatal(err)
		}
		s, err := client.Status(t.Context())
		if err != nil {
			t.Fatalf("after host %d: %v", i+1, err)
		}
		if s.PID == before.PID {
			t.Fatal("the host has not ended")
		}
	}
}

func TestManyClientsAtOnceStartOneHost(t *testing.T) {
	newHome(t, nil)
	pids := make([]int, 6)
	var group sync.WaitGroup
	for i := range pids {
		group.Go(func() {
			client, err := kernelext.Connect(t.Context(), "shared")
			if err != nil {
				t.Error(err)
				return
			}
			defer client.Close()
			s, err := client.Status(t.Context())
			if err != nil {
				t.Error(err)
			}
			pids[i] = s.PID
		})
	}
	group.Wait()
	for _, pid := range pids {
		if pid != pids[0] || pid == 0 {
			t.Fatalf("hosts %v, want one", pids)
		}
	}
}

func TestHostFileIsPrivateAndTheServerIsOnLoopbackOnly(t *testing.T) {
	home := newHome(t, nil)
	connect(t, "one")
	info, err := os.Stat(filepath.Join(home, "host", "host.json"))
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("host.json has mode %o, want 600", mode)
	}
	f, err := kernelext.ReadHostFile(home)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(f.URL)
	if err != nil || at.Hostname() != "127.0.0.1" {
		t.Fatalf("url %s, want one on 127.0.0.1 (%v)", f.URL, err)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		ip, _, err := net.ParseCIDR(address.String())
		if err != nil || ip.IsLoopback() || ip.To4() == nil {
			continue
		}
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(ip.String(), at.Port()), time.Second)
		if err == nil {
			conn.Close()
			t.Errorf("the host answers on %s", ip)
		}
	}
}

func TestWrongTokenIsRefused(t *testing.T) {
	home := newHome(t, nil)
	connect(t, "one")
	f, err := kernelext.ReadHostFile(home)
	if err != nil {
		t.Fatal(err)
	}
	for name, option := range map[string]nats.Option{"wrong": nats.Token(strings.Repeat("0", 64)), "none": nats.Name("nobody")} {
		conn, err := nats.Connect(f.URL, option)
		if err == nil {
			conn.Close()
			t.Errorf("with token %s: connected", name)
		}
	}
}

func TestStaleHostFiles(t *testing.T) {
	home := newHome(t, nil)
	if err := os.MkdirAll(filepath.Join(home, "host"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(home, "host", "host.json"), `{"url":"nats://127.0.0.1:1","token":"x","pid":999999,"version":"0.1.0"}`)
	connect(t, "one") // a host that is gone is replaced
	pid := status(t).PID
	for name, damage := range map[string]string{
		"a wrong token": fmt.Sprintf(`{"url":%q,"token":"stale","pid":%d,"version":%q}`, hostURL(t, home), pid, kernelext.Version),
		"another port":  `{"url":"nats://127.0.0.1:1","token":"x","pid":1,"version":"0.1.0"}`,
		"half a file":   `{"url":"nats:`,
	} {
		write(t, filepath.Join(home, "host", "host.json"), damage)
		client, err := kernelext.Connect(t.Context(), "one")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		client.Close()
		if now := status(t).PID; now != pid {
			t.Errorf("%s: a living host was replaced", name)
		}
	}
	if err := os.Remove(filepath.Join(home, "host", "host.json")); err != nil {
		t.Fatal(err)
	}
	connect(t, "one")
	if now := status(t).PID; now != pid {
		t.Error("no host file: a living host was replaced")
	}
}

func hostURL(t *testing.T, home string) string {
	t.Helper()
	f, err := kernelext.ReadHostFile(home)
	if err != nil {
		t.Fatal(err)
	}
	return f.URL
}

func TestAnIdleHostOfAnotherVersionIsReplaced(t *testing.T) {
	home := newHome(t, map[string]string{"OFFSHOOT_FAKE_VERSION": "0.0.9"})
	old := startOther(t)
	configure(t, home, nil)
	connect(t, "one")
	if s := status(t); s.Version != kernelext.Version || s.PID == old {
		t.Errorf("version %s, process %d; the old host was %d", s.Version, s.PID, old)
	}
}

func TestABusyHostOfAnotherVersionIsLeftAlone(t *testing.T) {
	home := newHome(t, map[string]string{"OFFSHOOT_FAKE_VERSION": "0.0.9"})
	startOther(t)
	putTeacher(t, home, "tiny", `{"Wait": 400000000}`)
	f, err := kernelext.ReadHostFile(home)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := nats.Connect(f.URL, nats.Token(f.Token))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	inbox := nats.NewInbox()
	if _, err := conn.SubscribeSync(inbox); err != nil {
		t.Fatal(err)
	}
	request := `{"lab":"one","name":"tiny","events":"` + inbox + `"}`
	if _, err := conn.Request(kernelext.Subject(kernelext.VerbTeacher), []byte(request), time.Second); err != nil {
		t.Fatal(err)
	}
	_, err = kernelext.Connect(t.Context(), "one")
	wantError(t, err, "", "0.0.9", kernelext.Version, "lab stop")
}

// startOther starts a host of another version and returns its process: the client that starts it is refused.
func startOther(t *testing.T) int {
	t.Helper()
	client, err := kernelext.Connect(t.Context(), "one")
	if err == nil {
		client.Close()
	}
	return status(t).PID
}

func TestAHostWhoseBinaryChangedIsReplacedWhenItIsIdle(t *testing.T) {
	home := newHome(t, nil)
	path := filepath.Join(home, "bin", "offshoot-host")
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	replace := func(content []byte) {
		t.Helper()
		if err := os.WriteFile(path+".new", content, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	replace(program)
	connect(t, "one")
	pid := status(t).PID
	replace(program) // newer, but the same
	connect(t, "one")
	if now := status(t).PID; now != pid {
		t.Errorf("a host was replaced by an equal one")
	}
	replace(append(program, 0))
	connect(t, "one")
	if now := status(t).PID; now == pid {
		t.Error("a host whose binary changed was not replaced")
	}
}

func TestPortInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	newHome(t, map[string]string{"OFFSHOOT_PORT": port})
	_, err = kernelext.Connect(t.Context(), "one")
	wantError(t, err, "", "127.0.0.1:"+port, "in use", "OFFSHOOT_PORT", "lab doctor")
}

func TestAFixedPort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	home := newHome(t, map[string]string{"OFFSHOOT_PORT": port})
	connect(t, "one")
	if got := hostURL(t, home); !strings.HasSuffix(got, ":"+port) {
		t.Errorf("url %s, want port %s", got, port)
	}
}

func TestBadSettingsAndMissingSetUp(t *testing.T) {
	home := newHome(t, map[string]string{"OFFSHOOT_IDLE": "soon"})
	_, err := kernelext.Connect(t.Context(), "one")
	wantError(t, err, "", "OFFSHOOT_IDLE", "soon")
	if err := os.Remove(filepath.Join(home, "bin", "offshoot-host")); err != nil {
		t.Fatal(err)
	}
	_, err = kernelext.Connect(t.Context(), "one")
	wantError(t, err, "", "not set up", "lab setup")
	for _, name := range []string{"", "a/b", "..", ".hidden", "-x", strings.Repeat("a", 65), "x y"} {
		_, err := kernelext.Connect(t.Context(), name)
		wantError(t, err, kernelext.Invalid, "cannot name a lab")
	}
}

func TestIdleHostStops(t *testing.T) {
	home := newHome(t, map[string]string{"OFFSHOOT_IDLE": "400ms"})
	connect(t, "one")
	eventually(t, "the host has stopped by itself", func() bool {
		_, err := os.Stat(filepath.Join(home, "host", "host.json"))
		return os.IsNotExist(err)
	})
	log, err := os.ReadFile(filepath.Join(home, "host", "host.log"))
	if err != nil || !strings.Contains(string(log), "idle for 400ms") {
		t.Errorf("the log does not say why (%v):\n%s", err, log)
	}
}

func TestAHostWhoseHomeWasRemovedEnds(t *testing.T) {
	home := newHome(t, nil)
	connect(t, "one")
	pid := status(t).PID
	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the host has ended", func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH })
	if _, err := os.Stat(home); !os.IsNotExist(err) {
		t.Errorf("the host made its home again (%v)", err)
	}
}

func TestUnwritableLab(t *testing.T) {
	home := newHome(t, nil)
	write(t, filepath.Join(home, "labs"), "a file where the folder should be")
	_, err := kernelext.Connect(t.Context(), "one")
	wantError(t, err, kernelext.Unwritable, filepath.Join(home, "labs", "one"), "move the file away")
	if os.Getuid() == 0 {
		return // no folder is closed to root
	}
	if err := os.Remove(filepath.Join(home, "labs")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(home, "labs"), 0o500); err != nil {
		t.Fatal(err)
	}
	_, err = kernelext.Connect(t.Context(), "one")
	wantError(t, err, kernelext.Unwritable, filepath.Join(home, "labs", "one"), "no permission", "make it writable")
}

func TestDamagedRecords(t *testing.T) {
	home := newHome(t, nil)
	if err := os.MkdirAll(filepath.Join(home, "labs", "one"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(home, "labs", "one", "lab.db"), strings.Repeat("this is no database ", 100))
	_, err := kernelext.Connect(t.Context(), "one")
	wantError(t, err, kernelext.Unwritable, "lab.db is damaged")
}

func TestASignalStopsTheHostAtABoundary(t *testing.T) {
	home := newHome(t, nil)
	client := connect(t, "one")
	pid := status(t).PID
	distill(t, client, "run")
	_, err := client.Steps(t.Context(), "run", 500, func(e kernelext.Event) {
		if e.Kind == kernelext.Point && e.Point.Step == 7 {
			if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}
	})
	wantError(t, err, "", "stopped after step", "run the cell again")
	if _, err := os.Stat(filepath.Join(home, "host", "host.json")); !os.IsNotExist(err) {
		t.Errorf("host.json: %v, want none", err)
	}
	c, err := connect(t, "one").Curve(t.Context(), "run")
	if err != nil || c.Steps() < 7 || c.Steps() > 12 {
		t.Errorf("%d steps are kept (%v), want about 7", c.Steps(), err)
	}
}

func TestNoBackend(t *testing.T) {
	newHome(t, map[string]string{"OFFSHOOT_FAKE_BACKEND": "no plug-in"})
	client := connect(t, "one")
	_, err := client.Teacher(t.Context(), "tiny", nil)
	wantError(t, err, kernelext.Internal, "no plug-in", "lab doctor")
	if s := status(t); s.BackendError == "" {
		t.Errorf("status %+v does not tell", s)
	}
}

func TestClientsCallsEndWithTheirContext(t *testing.T) {
	newHome(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := kernelext.Connect(ctx, "one"); err == nil {
		t.Error("connected with a context that had ended")
	}
}

// A first cell that is interrupted while the host starts leaves no host behind that nobody knows of.
func TestAnInterruptedStartLeavesNoHost(t *testing.T) {
	home := newHome(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Millisecond)
	defer cancel()
	if client, err := kernelext.Connect(ctx, "one"); err == nil {
		client.Close()
		t.Skip("the host was faster than the interruption")
	}
	time.Sleep(500 * time.Millisecond)
	if _, err := os.Stat(filepath.Join(home, "host", "host.json")); !os.IsNotExist(err) {
		t.Errorf("host.json: %v, want none", err)
	}
}
