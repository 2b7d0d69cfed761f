package datasets

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// goText is a source of so many bytes of the Go installation's text, in memory, so that reading it is not measured.
func goText(t testing.TB, tokenizer *Tokenizer, most int64) (s listed) {
	t.Helper()
	c, err := GoRoot(t.Context(), tokenizer, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range slices.Concat(c.validation, c.training) {
		text, err := c.read(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		s.documents = append(s.documents, Document{d.Path, string(text)})
		if most -= d.Bytes; most < 0 {
			break
		}
	}
	return s
}

// pythonTokenizes is what Hugging Face's tokenizers make of the documents, and the time it took.
func pythonTokenizes(t testing.TB, python string, tokenizer *Tokenizer, source listed) (tokens int64, took time.Duration) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokenizer.json")
	if err := os.WriteFile(path, tokenizer.JSON(), 0o644); err != nil {
		t.Fatal(err)
	}
	var lines, problems bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, d := range source.documents {
		if err := encoder.Encode(d.Text); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "tokenizer_speed.py"), path)
	cmd.Stdin, cmd.Stderr = &lines, &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tokenizers: %v\n%s", err, problems.String())
	}
	var result struct {
		Tokens  int64
		Seconds float64
	}
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatal(err)
	}
	return result.Tokens, time.Duration(result.Seconds * float64(time.Second))
}

// BenchmarkTokenize tokenizes 4 MiB of the Go installation's text with SmolLM2's tokenizer, shards and checksums included,
// beside Hugging Face's tokenizers in Python, taking turns.
func BenchmarkTokenize(b *testing.B) {
	python := os.Getenv("OFFSHOOT_REFERENCES")
	if python == "" {
		b.Log("OFFSHOOT_REFERENCES names no Python with tokenizers, so there is no comparison; `lab setup --references` makes one")
	}
	tokenizer := smolTokenizer(b)
	source := goText(b, tokenizer, 4<<20)
	var made, theirs int64
	var took, theirTook time.Duration
	for b.Loop() {
		begin := time.Now()
		tokens := tokenize(b, source, tokenizer, b.TempDir(), TokenizeOptions{})
		took += time.Since(begin)
		training, validation := tokens.Count()
		made += training + validation
		if python != "" {
			n, t := pythonTokenizes(b, python, tokenizer, source)
			theirs, theirTook = theirs+n+int64(len(source.documents)), theirTook+t
		}
	}
	speed := float64(made) / took.Seconds()
	b.ReportMetric(speed, "tokens/s")
	if python == "" {
		return
	}
	if made != theirs {
		b.Errorf("%d tokens, Python made %d of the same text", made, theirs)
	}
	b.ReportMetric(float64(theirs)/theirTook.Seconds(), "python-tokens/s")
	b.ReportMetric(speed*theirTook.Seconds()/float64(theirs), "times-python")
}
