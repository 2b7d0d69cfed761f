package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/offshoot-ml/offshoot/slm"
)

// A file of records goes on after its last whole line, and is not mixed with another search.
func TestRecordsContinue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "search.jsonl")
	head := recordsHead{Search: slm.Search{Bin: slm.Around(30e6, 0.05)}.WithDefaults(), SHA256: "abc"}
	r, err := openRecords(path, head)
	if err != nil {
		t.Fatal(err)
	}
	want := []slm.Candidate{{ID: 0, Loss: 3, Subnet: slm.Subnet{Embd: slm.First(9)}}, {ID: 1, Loss: 2}}
	for _, c := range want {
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
	again, err := openRecords(path, head)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.candidates, want) {
		t.Errorf("read back %+v, want %+v", again.candidates, want)
	}
	if err := again.add(slm.Candidate{ID: 2, Loss: 1}); err != nil {
		t.Fatal(err)
	}
	again.close()
	third, err := openRecords(path, head)
	if err != nil || len(third.candidates) != 3 || third.candidates[2].Loss != 1 {
		t.Fatalf("after a cut line and another record: %v", err)
	}
	third.close()
	head.SHA256 = "def"
	if _, err := openRecords(path, head); err == nil || !strings.Contains(err.Error(), "another search") {
		t.Errorf("records of another teacher were continued: %v", err)
	}
	for _, other := range []string{"{\"search\":1}\n", "somebody's only copy"} {
		if err := os.WriteFile(path, []byte(other), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := openRecords(path, head); err == nil {
			t.Error("a file that is no search was continued")
		}
		if text, _ := os.ReadFile(path); string(text) != other {
			t.Errorf("%q became %q", other, text)
		}
	}
}
