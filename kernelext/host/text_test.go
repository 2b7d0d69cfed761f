package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/slm"
)

// Data is tokenized once, into a folder of its own for each limit; the next time it is only opened.
func TestDataIsTokenizedOnce(t *testing.T) {
	home := t.TempDir()
	t.Setenv("OFFSHOOT_HOME", home)
	var lines strings.Builder
	for i := range 400 {
		fmt.Fprintf(&lines, "{\"text\":\"story %d: %s\"}\n", i, strings.Repeat("once upon a time ", 20))
	}
	file := filepath.Join(t.TempDir(), "stories.jsonl")
	if err := os.WriteFile(file, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	small, eos, err := datasets.SmallerTokenizer([]byte(tinyTokenizer), 260)
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := datasets.ReadTokenizer(small, eos)
	if err != nil {
		t.Fatal(err)
	}
	defer tokenizer.Close()
	read := func(d slm.Data) ([]int32, string) {
		messages := 0
		text, err := tokenized(context.Background(), d, tokenizer, func(string, int64, int64) { messages++ })
		if err != nil {
			t.Fatal(err)
		}
		defer text.Close()
		batch, err := text.Stream(1, 2, 16).Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return batch, text.Hash()
	}
	all := slm.Data{Paths: []string{file}}
	batch, hash := read(all)
	again, same := read(all)
	if !reflect.DeepEqual(batch, again) || hash != same {
		t.Error("opened again, the tokens are others")
	}
	some := all
	some.Tokens = 60_000
	if _, other := read(some); other == hash {
		t.Error("the first 60,000 tokens have the hash of all")
	}
	if folders, _ := filepath.Glob(filepath.Join(home, "tokens", "*", "tokens.json")); len(folders) != 2 {
		t.Errorf("there are tokens in %v, want two folders", folders)
	}
	_, err = tokenized(context.Background(), slm.Data{Paths: []string{file}, Column: "body"}, tokenizer, func(string, int64, int64) {})
	if err == nil || !strings.Contains(err.Error(), "body") || !strings.Contains(err.Error(), "text") {
		t.Errorf("a wrong column: %v", err)
	}
}
