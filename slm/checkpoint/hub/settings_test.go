package hub

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	home := t.TempDir()
	for _, file := range []string{"token", "other"} {
		if err := os.WriteFile(filepath.Join(home, file), []byte("of "+file+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	variables := []string{"HF_ENDPOINT", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HF_TOKEN",
		"HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HOME"}
	for _, test := range []struct {
		name        string
		environment map[string]string
		given, want Settings
	}{
		{"nothing", map[string]string{"HOME": "/h"}, Settings{}, Settings{Endpoint: "https://huggingface.co", Cache: "/h/.cache/huggingface/hub"}},
		{"XDG", map[string]string{"HOME": "/h", "XDG_CACHE_HOME": "/x"}, Settings{}, Settings{Endpoint: "https://huggingface.co", Cache: "/x/huggingface/hub"}},
		{"a home", map[string]string{"HF_HOME": home, "XDG_CACHE_HOME": "/x"}, Settings{}, Settings{Endpoint: "https://huggingface.co", Cache: home + "/hub", Token: "oftoken"}},
		{"a cache", map[string]string{"HF_HOME": home, "HF_HUB_CACHE": "~/c", "HOME": "/h", "HF_TOKEN": "t"}, Settings{}, Settings{Endpoint: "https://huggingface.co", Cache: "/h/c", Token: "t"}},
		{"older names", map[string]string{"HOME": "/h", "HUGGINGFACE_HUB_CACHE": "$HOME/old", "HUGGING_FACE_HUB_TOKEN": "t"}, Settings{}, Settings{Endpoint: "https://huggingface.co", Cache: "/h/old", Token: "t"}},
		{"a token's path", map[string]string{"HF_HOME": home, "HF_TOKEN_PATH": home + "/other"}, Settings{}, Settings{Endpoint: "https://huggingface.co", Cache: home + "/hub", Token: "ofother"}},
		{"a mirror, offline", map[string]string{"HOME": "/h", "HF_ENDPOINT": "http://mirror:80/hf/", "HF_HUB_OFFLINE": "true"}, Settings{}, Settings{Endpoint: "http://mirror:80/hf", Cache: "/h/.cache/huggingface/hub", Offline: true}},
		{"offline by transformers", map[string]string{"HOME": "/h", "HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "1"}, Settings{}, Settings{Endpoint: "https://huggingface.co", Cache: "/h/.cache/huggingface/hub", Offline: true}},
		{"given ones", map[string]string{"HOME": "/h", "HF_ENDPOINT": "http://mirror", "HF_TOKEN": "t", "HF_HUB_CACHE": "/c"}, Settings{Endpoint: "http://e", Cache: "/d", Token: "s"}, Settings{Endpoint: "http://e", Cache: "/d", Token: "s"}},
	} {
		for _, name := range variables {
			t.Setenv(name, test.environment[name])
		}
		got, err := test.given.complete()
		if err != nil || got.Endpoint != test.want.Endpoint || got.Cache != test.want.Cache || got.Token != test.want.Token || got.Offline != test.want.Offline {
			t.Errorf("%s: %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
	for _, bad := range []string{"mirror", "ftp://mirror", "http://", "://"} {
		if _, err := New(Settings{Endpoint: bad}); err == nil || !strings.Contains(err.Error(), "HF_ENDPOINT") {
			t.Errorf("endpoint %q: %v", bad, err)
		}
	}
}
