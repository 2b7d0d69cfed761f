package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// openedRecords reads a file of records and makes it ready.
func openedRecords(path string, head recordsHead) (*records, error) {
	r, err := readRecords(path)
	if err == nil {
		err = r.open(head)
	}
	if err != nil && r != nil {
		r.close()
	}
	return r, err
}

// smol is a teacher whose sub-networks are recorded.
func smol(t *testing.T) slm.Config {
	t.Helper()
	c, err := slm.Published("smollm2-135m")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A file of records goes on after its last whole line, keeps a candidate's last line, and is not mixed with another search.
func TestRecordsContinue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "search.jsonl")
	head := recordsHead{Search: slm.Search{Bin: slm.Around(30e6, 0.05), Halving: slm.Halving{Rungs: 2}}.WithDefaults(), Teacher: smol(t), SHA256: "abc",
		Held: slm.Held{Tokens: 1024, SHA256: "def"}}
	r, err := openedRecords(path, head)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openedRecords(path, head); err == nil || !strings.Contains(err.Error(), "another search is writing it") {
		t.Errorf("two write the same records: %v", err)
	}
	want := []slm.Candidate{{ID: 0, Loss: 2.5, Rungs: []float64{3, 2.5}, Subnet: slm.Subnet{Embd: slm.First(9)}}, {ID: 1, Loss: 2, Rungs: []float64{2}}}
	first := want[0]
	first.Loss, first.Rungs = 3, []float64{3}
	for _, c := range []slm.Candidate{first, want[1], want[0]} {
		if err := r.add(c); err != nil {
			t.Fatal(err)
		}
	}
	r.close()
	cut, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cut.WriteString(`{"id":2,"lo`); err != nil {
		t.Fatal(err)
	}
	cut.Close()
	again, err := openedRecords(path, head)
	if err != nil {
		t.Fatal(err)
	}
	if p := again.population; !reflect.DeepEqual(p.Candidates, want) || p.Name != "search" || p.Held != head.Held {
		t.Errorf("read back %+v, want candidates %+v", p, want)
	}
	if err := again.add(slm.Candidate{ID: 2, Loss: 1, Rungs: []float64{1}}); err != nil {
		t.Fatal(err)
	}
	again.close()
	third, err := openedRecords(path, head)
	if err != nil || len(third.population.Candidates) != 3 || third.population.Candidates[2].Loss != 1 {
		t.Fatalf("after a cut line and another record: %v", err)
	}
	third.close()
}

// What a file holds is never overwritten, and the error says what is wrong with it.
func TestRecordsOfSomethingElseAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "search.jsonl")
	head := recordsHead{Search: slm.Search{Bin: slm.Around(30e6, 0.05)}.WithDefaults(), Teacher: smol(t), SHA256: "abc",
		Held: slm.Held{Tokens: 1024, SHA256: "def", Corpus: "Go 1"}}
	r, err := openedRecords(path, head)
	if err != nil {
		t.Fatal(err)
	}
	r.close()
	began, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*recordsHead){
		"of another teacher":               func(h *recordsHead) { h.SHA256 = "def" },
		"of another architecture":          func(h *recordsHead) { h.Teacher.Layers++ },
		"seed: 1 in the file, 2 here":      func(h *recordsHead) { h.Search.Seed = 2 },
		"Go 1 in windows of 0 (SHA-256 de": func(h *recordsHead) { h.Held.Corpus, h.Held.SHA256 = "Go 2", "123" },
		"bring the old text back":          func(h *recordsHead) { h.Held.SHA256 = "123" },
	} {
		other := head
		change(&other)
		if _, err := openedRecords(path, other); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if text, _ := os.ReadFile(path); string(text) != string(began) {
			t.Fatalf("%q became %q", began, text)
		}
	}
	for _, other := range []string{"{\"search\":1}\n", "somebody's only copy", string(began) + "{\n",
		string(began) + `{"id":0,"subnet":{"layers":[{"layer":999}]}}` + "\n", string(began) + `{"id":0,"rungs":[3]}` + "\n"} {
		if err := os.WriteFile(path, []byte(other), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := openedRecords(path, head); err == nil {
			t.Error("a file that is no search was continued")
		}
		if text, _ := os.ReadFile(path); string(text) != other {
			t.Errorf("%q became %q", other, text)
		}
	}
}
