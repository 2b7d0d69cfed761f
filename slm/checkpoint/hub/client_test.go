package hub

import (
	"testing"
	"time"

	"github.com/offshoot-ml/offshoot/slm/checkpoint/hub/hubtest"
)

const owner = "owner/name"

// fakeHub is a hub of the test's own.
type fakeHub struct{ *hubtest.Hub }

func newFakeHub(t testing.TB) *fakeHub {
	f := &fakeHub{hubtest.New(owner, map[string][]byte{"config.json": []byte(`{"a": 1}`), big: payload(1 << 20),
		"sub/deep/notes.txt": []byte("x"), "pytorch_model.bin": payload(100)})}
	t.Cleanup(f.Close)
	return f
}

// payload are bytes that do not repeat soon.
func payload(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	return b
}

// client has little patience. Its cache is the test's own unless settings say otherwise.
func (f *fakeHub) client(t testing.TB, s Settings) *Client {
	t.Helper()
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_HOME", t.TempDir())
	if s.Endpoint == "" {
		s.Endpoint = f.URL
	}
	if s.Cache == "" {
		s.Cache = t.TempDir()
	}
	c, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	c.pause, c.attempts = time.Millisecond, 3
	return c
}

// open is the snapshot of the branch main.
func open(t testing.TB, c *Client) *Snapshot {
	t.Helper()
	s, err := c.Open(t.Context(), Repository{Kind: Models, ID: owner})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
