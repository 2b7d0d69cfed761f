package resident_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/slm"
)

// newHome makes a home whose host is this test binary, with teachers that take 10 ms for a step, and stops the host when
// the test ends.
func newHome(t testing.TB, settings map[string]string) string {
	t.Helper()
	home := t.TempDir()
	t.Setenv("OFFSHOOT_HOME", home)
	configure(t, home, settings)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"bin", "teachers"} {
		if err := os.Mkdir(filepath.Join(home, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(self, filepath.Join(home, "bin", "offshoot-host")); err != nil {
		t.Fatal(err)
	}
	putTeacher(t, home, "tiny", `{"Wait": 10000000}`)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := kernelext.StopHost(ctx); err != nil && !errors.Is(err, kernelext.ErrNoHost) {
			t.Errorf("the host does not stop: %v", err)
			killHolder(home)
		}
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(home, "host", "host.log"))
			t.Logf("host.log:\n%s", log)
		}
	})
	return home
}

// killHolder ends the host that holds a home's lock, if one does.
func killHolder(home string) {
	lock, err := os.OpenFile(filepath.Join(home, "host", "lock"), os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer lock.Close()
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		return // nobody
	}
	var pid int
	if _, err := fmt.Fscan(lock, &pid); err == nil && pid > 1 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func configure(t testing.TB, home string, settings map[string]string) {
	t.Helper()
	all := map[string]string{hostMark: "1"}
	maps.Copy(all, settings)
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(home, "env.json"), string(text))
}

func putTeacher(t testing.TB, home, name, content string) {
	t.Helper()
	write(t, filepath.Join(home, "teachers", name+".gguf"), content)
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, lab string) *kernelext.Client {
	t.Helper()
	client, err := kernelext.Connect(t.Context(), lab)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func status(t *testing.T) kernelext.Status {
	t.Helper()
	s, err := kernelext.HostStatus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// killHost ends the host as a power cut would, and waits until it is gone.
func killHost(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the host is gone", func() bool {
		_, err := kernelext.HostStatus(t.Context())
		return errors.Is(err, kernelext.ErrNoHost)
	})
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("after 5 s still not: %s", what)
}

func read(t *testing.T, elem ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantError(t *testing.T, err error, code kernelext.Code, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", parts)
	}
	if coded := (*kernelext.Error)(nil); code != "" && (!errors.As(err, &coded) || coded.Code != code) {
		t.Errorf("error %T %q: want code %q", err, err, code)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
}

// options of a small search and a small run
var (
	smallSearch = slm.Search{Bin: slm.Around(30e6, 0.05), Population: 6, Generations: 2}
	smallRun    = slm.Distillation{EvalEvery: 5, SaveEvery: 10}
)

// evaluations counts how often each sub-network was evaluated in a home.
func evaluations(t *testing.T, home string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(home, "evaluations"))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, key := range strings.Fields(string(text)) {
		counts[key]++
	}
	return counts
}
