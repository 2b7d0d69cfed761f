package hub

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Settings of a [Client]. What is left empty comes from the environment, by the rules of Python's huggingface_hub.
type Settings struct {
	Endpoint string         // HF_ENDPOINT; without it the public hub
	Cache    string         // folder; HF_HUB_CACHE, $HF_HOME/hub or ~/.cache/huggingface/hub
	Token    string         // HF_TOKEN, or the file $HF_TOKEN_PATH or $HF_HOME/token that a login leaves
	Offline  bool           // also when HF_HUB_OFFLINE is 1: only the cache is used
	Progress func(Progress) // told now and then how far a Fetch is; calls do not overlap
}

const publicHub = "https://huggingface.co"

// complete fills in what is empty, and reports what cannot be used.
func (s Settings) complete() (Settings, error) {
	s.Endpoint = strings.TrimRight(cmp.Or(s.Endpoint, os.Getenv("HF_ENDPOINT"), publicHub), "/")
	if u, err := url.Parse(s.Endpoint); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return s, fmt.Errorf("HF_ENDPOINT is %q, want an address such as %s", s.Endpoint, publicHub)
	}
	home, err := huggingFaceHome()
	if err != nil {
		return s, err
	}
	s.Cache = cmp.Or(s.Cache, expand(os.Getenv("HF_HUB_CACHE")), expand(os.Getenv("HUGGINGFACE_HUB_CACHE")), filepath.Join(home, "hub"))
	s.Token = cmp.Or(s.Token, os.Getenv("HF_TOKEN"), os.Getenv("HUGGING_FACE_HUB_TOKEN"))
	if s.Token == "" {
		text, _ := os.ReadFile(cmp.Or(expand(os.Getenv("HF_TOKEN_PATH")), filepath.Join(home, "token"))) // most have none
		s.Token = string(text)
	}
	s.Token = strings.Join(strings.Fields(s.Token), "")
	s.Offline = s.Offline || isTrue("HF_HUB_OFFLINE") || isTrue("TRANSFORMERS_OFFLINE")
	return s, nil
}

// huggingFaceHome is the folder of the cache and the token.
func huggingFaceHome() (string, error) {
	if home := expand(os.Getenv("HF_HOME")); home != "" {
		return home, nil
	}
	if cache := expand(os.Getenv("XDG_CACHE_HOME")); cache != "" {
		return filepath.Join(cache, "huggingface"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place for downloads (set HF_HOME): %w", err)
	}
	return filepath.Join(home, ".cache", "huggingface"), nil
}

// expand replaces ~ and variables in a path from the environment.
func expand(path string) string {
	path = os.ExpandEnv(path)
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || rest[0] == '/') {
		if home, err := os.UserHomeDir(); err == nil {
			return home + rest
		}
	}
	return path
}

func isTrue(variable string) bool {
	return slices.Contains([]string{"1", "ON", "YES", "TRUE"}, strings.ToUpper(os.Getenv(variable)))
}
