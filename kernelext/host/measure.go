package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/export"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// repetitions of what is measured, after one that compiles and is not counted.
const repetitions = 5

// measure does one measurement of `lab bench models` and prints it as lines of JSON. The first line says how long loading
// took, and how much memory.
func measure(ctx context.Context, request ask.Request, out io.Writer, m *meter) error {
	asked, lines := request.(*ask.Measure), json.NewEncoder(out)
	backend, err := model.NewBackend()
	if err != nil {
		return err
	}
	before, begin := residentBytes(), time.Now()
	opened, err := openModel(ctx, asked.Model, "", m)
	if err != nil {
		return err
	}
	defer opened.Close()
	var teacher *model.Teacher
	if asked.What != ask.Distilling { // its first step loads what it needs
		if teacher, err = model.Load(ctx, backend, opened.Config, opened.Source, nil); err != nil {
			return err
		}
		defer teacher.Close()
	}
	loaded := ask.Loaded{Parameters: slm.Subnet{}.Parameters(opened.Config).Total(), Vocab: opened.Config.Vocab,
		Seconds: time.Since(begin).Seconds(), Before: before, Peak: peakBytes()}
	if err := lines.Encode(loaded); err != nil {
		return err
	}
	switch asked.What {
	case ask.Forward:
		return measureForward(ctx, teacher, asked, lines)
	case ask.Generate:
		return measureGeneration(ctx, teacher, lines)
	case ask.ExtractStudent:
		return measureExtraction(ctx, teacher, lines)
	case ask.Candidates:
		return measureCandidates(ctx, teacher, asked, lines)
	case ask.Searching:
		return measureSearch(ctx, teacher, asked, lines)
	case ask.Distilling:
		return measureDistillation(ctx, backend, opened, asked, lines)
	}
	return nil
}

// prepareSearch reads the search of a measurement and prepares for it; there may be none.
func prepareSearch(ctx context.Context, teacher *model.Teacher, asked *ask.Measure) (s slm.Search, err error) {
	if asked.Search == "" {
		return s, nil
	}
	if err := json.Unmarshal([]byte(asked.Search), &s); err != nil {
		return s, fmt.Errorf("search: %w", err)
	}
	return s, teacher.Prepare(ctx, s, asked.Windows, asked.Seq-1)
}

// measureForward makes a pass for each line that it reads, so that another process can take turns with it.
func measureForward(ctx context.Context, teacher *model.Teacher, asked *ask.Measure, lines *json.Encoder) error {
	windows := ask.WindowTokens(asked.Batch, asked.Seq, teacher.Config.Vocab)
	for turns := bufio.NewScanner(os.Stdin); turns.Scan(); {
		begin := time.Now()
		loss, err := teacher.Evaluate(ctx, slm.Subnet{}, windows, asked.Seq-1, model.Passes{Batch: asked.Batch})
		if err != nil {
			return err
		}
		if err := lines.Encode(ask.Passed{Seconds: time.Since(begin).Seconds(), Loss: loss}); err != nil {
			return err
		}
	}
	return nil
}

// measureCandidates evaluates the sub-network of each line that it reads, as a search does.
func measureCandidates(ctx context.Context, teacher *model.Teacher, asked *ask.Measure, lines *json.Encoder) error {
	if _, err := prepareSearch(ctx, teacher, asked); err != nil {
		return err
	}
	windows := ask.WindowTokens(asked.Windows, asked.Seq, teacher.Config.Vocab)
	turns := bufio.NewScanner(os.Stdin)
	turns.Buffer(nil, 1<<24) // fine sub-networks have long index sets
	for turns.Scan() {
		var subnet slm.Subnet
		if err := json.Unmarshal(turns.Bytes(), &subnet); err != nil {
			return err
		}
		begin := time.Now()
		loss, err := teacher.Loss(ctx, subnet, windows, asked.Seq-1)
		if err != nil {
			return err
		}
		answer := ask.Evaluated{Passed: ask.Passed{Seconds: time.Since(begin).Seconds(), Loss: loss}, Compiled: teacher.Compiled()}
		answer.Parameters, answer.CountSeconds = countParameters(subnet, teacher.Config)
		if err := lines.Encode(answer); err != nil {
			return err
		}
	}
	return turns.Err()
}

// countParameters counts so often that the clock can tell how long it takes.
func countParameters(subnet slm.Subnet, c slm.Config) (parameters int64, seconds float64) {
	const often = 1000
	begin := time.Now()
	for range often {
		parameters = subnet.Parameters(c).Total()
	}
	return parameters, time.Since(begin).Seconds() / often
}

func measureGeneration(ctx context.Context, teacher *model.Teacher, lines *json.Encoder) error {
	found := ask.Generated{Tokens: 64}
	prompt := ask.WindowTokens(1, 16, teacher.Config.Vocab)
	for i := range 1 + repetitions {
		begin := time.Now()
		if _, err := teacher.Generate(ctx, prompt, slm.Generation{Tokens: found.Tokens}); err != nil {
			return err
		}
		if i > 0 {
			found.Seconds = append(found.Seconds, time.Since(begin).Seconds())
		}
	}
	return lines.Encode(found)
}

// measureExtraction takes the student that represents 30M parameters.
func measureExtraction(ctx context.Context, teacher *model.Teacher, lines *json.Encoder) error {
	sizes, err := slm.CoarseUniform.Proportional(teacher.Config, slm.Around(30e6, 0.05))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "offshoot-measure-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	subnet, found := sizes.Subnet(teacher.Config), ask.Extracted{}
	for range repetitions {
		begin := time.Now()
		weights, err := teacher.Extract(subnet)
		if err != nil {
			return err
		}
		found.Parameters = weights.Parameters()
		found.Seconds = append(found.Seconds, time.Since(begin).Seconds())
		student := export.Student{Teacher: teacher.Config, Subnet: subnet, Weights: weights}
		if _, err := export.Write(ctx, filepath.Join(dir, "student"), student, export.Options{}); err != nil {
			return err
		}
		found.Written = append(found.Written, time.Since(begin).Seconds())
	}
	return lines.Encode(found)
}

// residentBytes is the memory that this process holds; 0 where the system does not tell.
func residentBytes() int64 { return statusBytes("VmRSS:") }

// peakBytes is the most that it ever held. Linux's getrusage will not do: it begins with the parent's.
func peakBytes() int64 {
	if runtime.GOOS == "linux" {
		return statusBytes("VmHWM:")
	}
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return int64(usage.Maxrss) // bytes on macOS
}

// statusBytes reads a line of /proc/self/status, which is in KiB.
func statusBytes(field string) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte(field)); ok {
			kibibytes, _ := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("kB")))), 10, 64)
			return kibibytes << 10
		}
	}
	return 0
}
