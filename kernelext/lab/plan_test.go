package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/offshoot-ml/offshoot/slm"
)

// runVerb runs the command in an empty home, as on a machine where nothing is set up.
func runVerb(t *testing.T, args ...string) (status int, out string) {
	t.Helper()
	t.Setenv("OFFSHOOT_HOME", t.TempDir())
	var text strings.Builder
	status = Main(t.Context(), args, &text, &text)
	return status, text.String()
}

func TestPlanVerb(t *testing.T) {
	subnet := filepath.Join(t.TempDir(), "subnet.json")
	if err := os.WriteFile(subnet, []byte(`{"embd":"0-2047","layers":[{"layer":0,"heads":"0-15"},{"layer":31,"ffn":"0-8191"}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args  string
		wants []string
	}{
		{"--student bin:410M", []string{"pythia-6.9b, 6.86B", "11 layers, 1536 wide, 11 heads of 128, FFN 5120", "32 sequences of 2048 tokens, bf16, on h100",
			"27.4 GB", "13.7 GB", "more than 80 GB", "less memory take --checkpointing, --accumulate, --topk, a smaller --batch", "100B  1525879"}},
		{"--student bin:950M-1.05B --device h200 --mfu 0.5 --dtype f32 --batch 8 --seq 1024", []string{"16 layers, 2048 wide", "495 TFLOPs/s at 50%", "27.4 GB", "fits into 141 GB"}},
		{"--student pythia-410m --tokens 5B --topk 64 --checkpointing --fused --accumulate 4", []string{"pythia-410m", "in 4 parts", "5B", "once beforehand",
			"stored logits", "the 64 largest", "layers' inputs", "recomputation", "50432 and 50304"}},
		{"--device TFLOPS=1e6 --student " + subnet, []string{"2 layers, 2048 wide, 16-32 heads of 128, FFN 8192-16384", "1 EFLOPs/s"}},
		{"--student pythia-410m --pairs 2", []string{"hidden states                   4.29 GB", "take --checkpointing, --accumulate, a smaller --batch"}}, // 65,536 tokens x 2 pairs x 4,096 dimensions x 8 bytes
		{"--device cpu --dtype f32 --student smollm2-135m", []string{"years"}},
	} {
		status, out := runVerb(t, append([]string{"plan", "--teacher", "pythia-6.9b"}, strings.Fields(test.args)...)...)
		if status != 0 {
			t.Errorf("%s: status %d\n%s", test.args, status, out)
		}
		for _, want := range test.wants {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", test.args, want, out)
			}
		}
		for line := range strings.SplitSeq(out, "\n") {
			if n := utf8.RuneCountInString(line); n > 100 {
				t.Errorf("%s: a line of %d columns: %s", test.args, n, line)
			}
		}
	}
}

func TestPlanVerbJSON(t *testing.T) {
	status, out := runVerb(t, "plan", "--teacher", "pythia-12b", "--student", "bin:2.8B", "--tokens", "7B", "--json")
	var plan slm.Plan
	if err := json.Unmarshal([]byte(out), &plan); status != 0 || err != nil {
		t.Fatalf("status %d, %v\n%s", status, err, out)
	}
	if plan.TeacherParameters != 11846072320 || !slm.Around(2.8e9, 0.05).Contains(plan.StudentParameters) {
		t.Errorf("parameters: %d, %d", plan.TeacherParameters, plan.StudentParameters)
	}
	if len(plan.Budgets) != 4 || plan.Budgets[0].Tokens != 7e9 || plan.Budgets[3].Tokens != 100e9 {
		t.Errorf("budgets: %+v", plan.Budgets)
	}
	if again, err := plan.Planned.Plan(); err != nil || again.Memory != plan.Memory {
		t.Errorf("the plan's own JSON plans %+v, %v; want %+v", again.Memory, err, plan.Memory)
	}
}

func TestPlanVerbRefuses(t *testing.T) {
	typo := filepath.Join(t.TempDir(), "typo.json")
	if err := os.WriteFile(typo, []byte(`{"emdb":"0-2047"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	wide := filepath.Join(t.TempDir(), "wide.json")
	if err := os.WriteFile(wide, []byte(`{"embd":"0-9999"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"":                                                     "name a teacher and a student",
		"--teacher pythia-7b --student bin:1B":                 "known: llama-2-7b",
		"--teacher pythia-6.9b --student bin:1X":               "is not a count",
		"--teacher pythia-6.9b --student bin:1M":               "they have 148M to 6.86B",
		"--teacher pythia-6.9b --student nowhere":              "smollm2-135m",
		"--teacher pythia-6.9b --student " + typo:              `unknown field "emdb"`,
		"--teacher pythia-6.9b --student " + wide:              "index 9999 is outside the teacher's 0-4095",
		"--teacher pythia-6.9b --student bin:1B x":             `no argument "x"`,
		"--teacher pythia-6.9b --student bin:1B --device tpu":  "h200, l4, l40s, rtx 3090, rtx 4090, cpu",
		"--teacher pythia-6.9b --student bin:1B --tokens many": "is not a count",
		"--teacher pythia-6.9b --student bin:1B --seq 4096":    "context of pythia-6.9b, 2048",
		"--teacher pythia-6.9b --student bin:1B --dtype int8":  "want bf16, f16 or f32",
	} {
		status, out := runVerb(t, append([]string{"plan"}, strings.Fields(args)...)...)
		if status != 1 || !strings.Contains(out, want) {
			t.Errorf("%q: status %d, %q; want %q", args, status, out, want)
		}
	}
}
