package datasets

import (
	"slices"
	"strings"
	"testing"
)

// TestStreams resumes a corpus's stream and one of tokens by their JSON, and refuses another text's and no position at all.
func TestStreams(t *testing.T) {
	other, err := openText(t, numbered(t, 30)).Stream(1, 2, 5).Position()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]TrainingText{"corpus": openText(t, numbered(t, 60)), "tokens": aTokens(t)} {
		t.Run(name, func(t *testing.T) {
			s := text.Stream(1, 2, 5)
			if _, err := s.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
			saved, err := s.Position()
			if err != nil || !strings.Contains(string(saved), `"corpus":"`+text.Hash()+`"`) || !strings.Contains(string(saved), `"text":"`+text.Name()+`"`) {
				t.Fatalf("%s, %v", saved, err)
			}
			want, err := s.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			resumed := text.Stream(1, 2, 5)
			if err := resumed.Seek(saved); err != nil {
				t.Fatal(err)
			}
			for _, position := range []string{string(other), "", "{", "[]", "{}", `{"rows": 3, "epoch": "x"}`, `{"epoch": -1}`} {
				if err := resumed.Seek([]byte(position)); err == nil {
					t.Errorf("Seek(%q) is accepted", position)
				}
			}
			if got, err := resumed.Next(t.Context()); err != nil || !slices.Equal(got, want) {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
			tokens, err := text.Stream(1, 40, 90).Next(t.Context()) // longer than some documents
			if separator := s.Separator(); err != nil || separator != newByteTokenizer(t).Separator() || !slices.Contains(tokens, separator) {
				t.Errorf("separator %d does not end the documents of %v, %v", separator, tokens, err)
			}
			if sample, err := text.Validation(10, 5); err != nil || len(sample) != 12 || text.Name() == "" {
				t.Errorf("validation of %s: %v, %v", text.Name(), sample, err)
			}
		})
	}
}

// TestStreamOfOlderCheckpoints reads a position that does not cite its corpus, as older ones do not.
func TestStreamOfOlderCheckpoints(t *testing.T) {
	s := openText(t, numbered(t, 60)).Stream(1, 1, 5)
	if err := s.Seek([]byte(`{"rows":[{"epoch":1,"passage":2,"token":3}]}`)); err != nil {
		t.Error(err)
	}
	if at, err := s.Position(); err != nil || !strings.Contains(string(at), `"rows":[{"epoch":1,"passage":2,"token":3}]`) {
		t.Errorf("%s, %v", at, err)
	}
}
