package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub/hubtest"
)

const big = "model.safetensors"

// half sends the first half of what is asked for and then cuts the connection.
func half(w http.ResponseWriter, content []byte, from int) {
	if from > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(content)-from))
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = w.Write(content[from : from+(len(content)-from)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// rangeStart is the first byte that a request asks for.
func rangeStart(r *http.Request) int {
	from := 0
	_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
	return from
}

// fetched checks that the whole file is in its place, and nothing beside it.
func (f *fakeHub) fetched(t *testing.T, s *Snapshot, name string) {
	t.Helper()
	got, err := os.ReadFile(s.Path(name))
	if err != nil || !bytes.Equal(got, f.Files[name]) {
		t.Errorf("%s: %d bytes, %v", name, len(got), err)
	}
	for _, left := range tree(t, s.folder()) {
		if strings.Contains(left, "incomplete") || strings.Contains(left, "tmp") {
			t.Errorf("left behind: %s", left)
		}
	}
}

// TestCutConnections cuts more often than there are attempts: each that got further begins the count anew.
func TestCutConnections(t *testing.T) {
	f := newFakeHub(t)
	f.Content = func(w http.ResponseWriter, r *http.Request, attempt int) bool {
		if attempt <= 6 {
			half(w, f.Files[big], rangeStart(r))
		}
		return false
	}
	s := open(t, f.client(t, Settings{}))
	if err := s.Fetch(t.Context(), big); err != nil {
		t.Fatal(err)
	}
	f.fetched(t, s, big)
	from, asked := 0, f.Asked("GET /blob")
	for i, r := range asked {
		if want := strings.TrimSuffix(fmt.Sprintf("GET /blob/%s bytes=%d-", big, from), " bytes=0-"); r != want {
			t.Errorf("request %d is %q, want %q", i, r, want)
		}
		from += (1<<20 - from) / 2
	}
	if len(asked) != 7 {
		t.Errorf("%d requests", len(asked))
	}
}

func TestRangeIgnored(t *testing.T) {
	f := newFakeHub(t)
	f.Content = func(w http.ResponseWriter, r *http.Request, attempt int) bool {
		if attempt == 1 {
			half(w, f.Files[big], 0)
		}
		r.Header.Del("Range")
		return false
	}
	s := open(t, f.client(t, Settings{}))
	if err := s.Fetch(t.Context(), big); err != nil {
		t.Fatal(err)
	}
	f.fetched(t, s, big)
}

// TestRangeOfAnotherIdea leaves more than the file has, or a part at which the server has nothing.
func TestRangeOfAnotherIdea(t *testing.T) {
	for name, left := range map[string][]byte{"too much": payload(1<<20 + 5), "all of another": bytes.Repeat([]byte("x"), 1<<20), "a part of another": []byte("xyz")} {
		f := newFakeHub(t)
		s := open(t, f.client(t, Settings{}))
		f.leave(t, s, left)
		if err := s.Fetch(t.Context(), big); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f.fetched(t, s, big)
	}
	f := newFakeHub(t)
	f.Content = func(w http.ResponseWriter, r *http.Request, attempt int) bool {
		if rangeStart(r) > 0 {
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		}
		return rangeStart(r) > 0
	}
	s := open(t, f.client(t, Settings{}))
	f.leave(t, s, f.Files[big][:100])
	if err := s.Fetch(t.Context(), big); err != nil {
		t.Fatal(err)
	}
	f.fetched(t, s, big)
}

// leave puts a part of the big file where an earlier attempt would have left it.
func (f *fakeHub) leave(t *testing.T, s *Snapshot, part []byte) {
	t.Helper()
	file, _ := s.Find(big)
	if err := errors.Join(os.MkdirAll(s.folder()+"/blobs", 0o755), os.WriteFile(s.blobPath(file)+".incomplete", part, 0o644)); err != nil {
		t.Fatal(err)
	}
}

func TestWrongContent(t *testing.T) {
	answer := func(content []byte) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, attempt int) bool {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			_, _ = w.Write(content) // all of it at any range
			return true
		}
	}
	chunked := func(content []byte) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, r *http.Request, attempt int) bool {
			_ = http.NewResponseController(w).Flush() // no Content-Length
			_, _ = w.Write(content)
			return true
		}
	}
	other := payload(1 << 20)
	other[77]++
	for _, test := range []struct {
		name     string
		content  func(http.ResponseWriter, *http.Request, int) bool
		is       error
		want     string
		requests int
	}{
		{"another content", answer(other), ErrDamaged, "has the hash " + hubtest.SHA256(other), 2},
		{"too short", answer(other[1:]), ErrDamaged, "sends 1048575 bytes, but lists 1048576", 1},
		{"too long", answer(append(slices.Clone(other), 1)), ErrDamaged, "sends 1048577 bytes, but lists 1048576", 1},
		{"too long, without saying so", chunked(append(slices.Clone(other), 1)), ErrDamaged, "sends more than the 1048576", 1},
		{"too short, without saying so", chunked(other[1:]), nil, "was cut after 1048575 of 1048576 bytes", 3},
		{"another range", func(w http.ResponseWriter, r *http.Request, attempt int) bool {
			if attempt == 1 {
				half(w, other, 0)
			}
			w.Header().Set("Content-Range", "bytes 5-9/1048576")
			w.WriteHeader(http.StatusPartialContent)
			return true
		}, nil, `sends the range "bytes 5-9/1048576", asked for from byte 524288`, 2},
	} {
		f := newFakeHub(t)
		f.Content = test.content
		s := open(t, f.client(t, Settings{}))
		err := s.Fetch(t.Context(), big)
		if err == nil || (test.is != nil && !errors.Is(err, test.is)) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), big) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
		if n := len(f.Asked("GET /blob")); n != test.requests {
			t.Errorf("%s: %d requests, want %d", test.name, n, test.requests)
		}
		for _, name := range tree(t, s.folder()) {
			if !strings.HasSuffix(name, ".incomplete") {
				t.Errorf("%s: %s was left", test.name, name)
			}
		}
	}
	// Small files are checked as well, by git's hash.
	f := newFakeHub(t)
	s := open(t, f.client(t, Settings{}))
	f.Files["config.json"] = []byte(`{"a": 2}`)
	if err := s.Fetch(t.Context(), "config.json"); !errors.Is(err, ErrDamaged) {
		t.Errorf("a small file: %v", err)
	}
}

func TestFaultsThatPass(t *testing.T) {
	f := newFakeHub(t)
	f.Content = func(w http.ResponseWriter, r *http.Request, attempt int) bool {
		switch attempt {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			w.WriteHeader(http.StatusForbidden) // of the other host: its address is too old
		default:
			return false
		}
		return true
	}
	refused := 0
	f.API = func(w http.ResponseWriter, r *http.Request) bool {
		if refused < 2 {
			refused++
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		return false
	}
	s := open(t, f.client(t, Settings{}))
	if err := s.Fetch(t.Context(), big); err != nil {
		t.Fatal(err)
	}
	f.fetched(t, s, big)
	if len(f.Asked("resolve")) != 3 { // a new address each time
		t.Errorf("requests %v", f.Asked("resolve"))
	}
}

func TestFaultsThatDoNotPass(t *testing.T) {
	f := newFakeHub(t)
	f.API = func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	_, err := f.client(t, Settings{}).Open(t.Context(), Repository{Kind: Models, ID: owner})
	if err == nil || !strings.Contains(err.Error(), "503 Service Unavailable (given up after 3 attempts)") || len(f.Asked("")) != 3 {
		t.Errorf("error %v after %d requests", err, len(f.Asked("")))
	}
}

func TestTooManyRequests(t *testing.T) {
	f := newFakeHub(t)
	var first time.Time
	var waited time.Duration
	f.API = func(w http.ResponseWriter, r *http.Request) bool {
		if first.IsZero() {
			first = time.Now()
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		if waited == 0 {
			waited = time.Since(first)
		}
		return false
	}
	if open(t, f.client(t, Settings{})); waited < time.Second || waited > 3*time.Second {
		t.Errorf("asked again after %v, want a second", waited)
	}
	f.API = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	begin := time.Now()
	_, err := f.client(t, Settings{}).Open(t.Context(), Repository{Kind: Models, ID: owner})
	if err == nil || !strings.Contains(err.Error(), "asks to wait for") || time.Since(begin) > time.Second {
		t.Errorf("error %v after %v", err, time.Since(begin))
	}
}

// TestStalled has a server that stops in the middle without closing the connection.
func TestStalled(t *testing.T) {
	f := newFakeHub(t)
	done := make(chan struct{})
	defer close(done)
	f.Content = func(w http.ResponseWriter, r *http.Request, attempt int) bool {
		if attempt > 2 {
			return false
		}
		if attempt == 2 { // first in the middle, then before the first byte
			w.Header().Set("Content-Length", fmt.Sprint(len(f.Files[big])))
			_, _ = w.Write(f.Files[big][:1000])
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-r.Context().Done():
		case <-done:
		}
		return true
	}
	c := f.client(t, Settings{})
	c.stall = 100 * time.Millisecond
	s := open(t, c)
	if err := s.Fetch(t.Context(), big); err != nil {
		t.Fatal(err)
	}
	f.fetched(t, s, big)
	f.Content = func(w http.ResponseWriter, r *http.Request, attempt int) bool {
		select {
		case <-r.Context().Done():
		case <-done:
		}
		return true
	}
	s = open(t, func() *Client { c := f.client(t, Settings{}); c.stall = 20 * time.Millisecond; return c }())
	if err := s.Fetch(t.Context(), big); err == nil || !strings.Contains(err.Error(), "the connection stalled (given up after 3 attempts)") {
		t.Errorf("error %v", err)
	}
}

// TestCancelAndResume interrupts a download half-way; the next goes on there.
func TestCancelAndResume(t *testing.T) {
	f := newFakeHub(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f.Content = func(w http.ResponseWriter, r *http.Request, attempt int) bool {
		if attempt > 1 {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(f.Files[big])))
		_, _ = w.Write(f.Files[big][:1<<19])
		_ = http.NewResponseController(w).Flush()
		time.AfterFunc(200*time.Millisecond, cancel) // when it has arrived
		<-r.Context().Done()
		return true
	}
	cache := t.TempDir()
	begin := time.Now()
	err := open(t, f.client(t, Settings{Cache: cache})).Fetch(ctx, big)
	if !errors.Is(err, context.Canceled) || time.Since(begin) > 2*time.Second {
		t.Fatalf("error %v after %v", err, time.Since(begin))
	}
	var first Progress
	again := open(t, f.client(t, Settings{Cache: cache, Progress: func(p Progress) {
		if first.Total == 0 {
			first = p
		}
	}}))
	if err := again.Fetch(t.Context(), big); err != nil {
		t.Fatal(err)
	}
	f.fetched(t, again, big)
	if asked := f.Asked("GET /blob"); len(asked) != 2 || !strings.HasSuffix(asked[1], "bytes=524288-") {
		t.Errorf("requests %v", asked)
	}
	if first.Done != 1<<19 || first.Total != 1<<20 {
		t.Errorf("the first progress is %+v", first)
	}
}

// TestTwoAtOnce has two clients of one cache, as two processes are: the second waits, and takes what the first got.
func TestTwoAtOnce(t *testing.T) {
	f := newFakeHub(t)
	f.Content = func(w http.ResponseWriter, r *http.Request, attempt int) bool {
		time.Sleep(100 * time.Millisecond)
		return false
	}
	cache := t.TempDir()
	var wait sync.WaitGroup
	snapshots := []*Snapshot{open(t, f.client(t, Settings{Cache: cache})), open(t, f.client(t, Settings{Cache: cache}))}
	for _, s := range snapshots {
		wait.Go(func() {
			if err := s.Fetch(context.Background(), big, "config.json"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	f.fetched(t, snapshots[0], big)
	if asked := f.Asked("GET /blob"); len(asked) != 1 {
		t.Errorf("requests %v, want one", asked)
	}
}

// TestWaitingIsCancelled cancels a client that waits for another's download.
func TestWaitingIsCancelled(t *testing.T) {
	f := newFakeHub(t)
	s := open(t, f.client(t, Settings{}))
	file, _ := s.Find(big)
	unlock, err := s.lock(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := s.Fetch(ctx, big); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > time.Second {
		t.Errorf("error %v after %v", err, time.Since(begin))
	}
}

// TestDamagedCache cuts a blob short; it is fetched anew.
func TestDamagedCache(t *testing.T) {
	f := newFakeHub(t)
	c := f.client(t, Settings{})
	s := open(t, c)
	if err := s.Fetch(t.Context(), big); err != nil {
		t.Fatal(err)
	}
	file, _ := s.Find(big)
	if err := os.Truncate(s.blobPath(file), 10); err != nil {
		t.Fatal(err)
	}
	if err := open(t, c).Fetch(t.Context(), big); err != nil {
		t.Fatal(err)
	}
	f.fetched(t, s, big)
}
