package model

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX graphs are written with its operators in scope
	"github.com/gomlx/gomlx/core/tensors"
	gomlx "github.com/gomlx/gomlx/ml/model"

	"github.com/offshoot-ml/offshoot/slm"
)

// forward makes a program of an extracted student: its hidden states after each number of layers and, last, its logits.
func forward(t *testing.T, backend compute.Backend, teacher *Teacher, subnet slm.Subnet, separator *int32) func(tokens *tensors.Tensor) [][]float32 {
	t.Helper()
	weights, err := teacher.Extract(subnet)
	if err != nil {
		t.Fatal(err)
	}
	student, err := NewStudent(backend, teacher.Config, subnet, weights)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(student.Close)
	student.Separator = separator
	exec := gomlx.MustNewExec(backend, student.Store, func(scope *gomlx.Scope, tokens *Node) []*Node {
		logits, states := student.ForwardGraph(scope, tokens, Computing{})
		return append(states, logits)
	})
	return func(tokens *tensors.Tensor) (out [][]float32) {
		for _, x := range exec.MustCall(tokens) {
			out = append(out, tensors.MustCopyFlatData[float32](x))
			free(x)
		}
		return out
	}
}

// read is [Teacher.Read] on the host.
func read(t *testing.T, teacher *Teacher, tokens *tensors.Tensor, r Reading) (logits []float32, states [][]float32) {
	t.Helper()
	x, all, err := teacher.Read(t.Context(), tokens, r)
	if err != nil {
		t.Fatal(err)
	}
	if x != nil {
		logits = tensors.MustCopyFlatData[float32](x)
		free(x)
	}
	for _, s := range all {
		states = append(states, tensors.MustCopyFlatData[float32](s))
		free(s)
	}
	return logits, states
}

// Documents that are packed into windows have the logits that they have alone, in the teacher and in students of every family.
func TestDocumentsInAWindowAreAsAlone(t *testing.T) {
	const separator = 3
	rows := func(width int, documents ...[]int32) *tensors.Tensor {
		all := slices.Concat(documents...)
		return tensors.FromFlatDataAndDimensions(all, len(all)/width, width)
	}
	for _, config := range []slm.Config{tinies()[0], tinies()[1], tinies()[3]} { // one of each family
		t.Run(config.Name, func(t *testing.T) {
			backend, teacher := newTiny(t, config)
			document := func(from, n int) []int32 {
				tokens := someTokens(from+n, config.Vocab)[from:]
				for i := range tokens {
					tokens[i] = max(tokens[i], separator+1)
				}
				tokens[n-1] = separator
				return tokens
			}
			a, b, c, d := document(1, 4), document(2, 8), document(4, 8), document(9, 4)
			packed, short, long := rows(12, a, b, c, d), rows(4, a, d), rows(8, b, c)
			irregular := fine(config, false, slm.Recomputed, 1)
			reads := func(r Reading) func(*tensors.Tensor) []float32 {
				return func(tokens *tensors.Tensor) []float32 { logits, _ := read(t, teacher, tokens, r); return logits }
			}
			student := func(separator *int32) func(*tensors.Tensor) []float32 {
				all := forward(t, backend, teacher, irregular, separator)
				return func(tokens *tensors.Tensor) []float32 { x := all(tokens); return x[len(x)-1] }
			}
			for name, logits := range map[string][2]func(*tensors.Tensor) []float32{
				"teacher": {reads(Reading{Logits: true, Separator: new(int32(separator))}), reads(Reading{Logits: true})},
				"student": {student(new(int32(separator))), student(nil)},
			} {
				within, across := logits[0], logits[1]
				ofShort, ofLong := across(short), across(long)
				half := len(ofShort) / 2
				want := slices.Concat(ofShort[:half], ofLong, ofShort[half:])
				if difference, largest := farthest(within(packed), want); !(difference <= 1e-5*largest) || largest < 0.1 {
					t.Errorf("%s: logits differ by %g of %g", name, difference, largest)
				}
				if difference, largest := farthest(across(packed), want); difference < 1e-2*largest {
					t.Errorf("%s: attention across documents changes the logits by only %g of %g", name, difference, largest)
				}
			}
		})
	}
}

// A teacher gives the logits and hidden states of the student that is all of it.
func TestReadGivesWhatIsWanted(t *testing.T) {
	backend, teacher := newTiny(t, tiny(true))
	tokens := tensors.FromFlatDataAndDimensions(someTokens(2*16, teacher.Config.Vocab), 2, 16)
	states := forward(t, backend, teacher, slm.Subnet{}, nil)(tokens)
	logits := states[len(states)-1]
	for _, r := range []Reading{{Logits: true}, {States: []int{4}}, {Logits: true, States: []int{0, 3}}, {States: []int{0, 1, 2, 3, 4}}, {}} {
		gotLogits, gotStates := read(t, teacher, tokens, r)
		if (len(gotLogits) > 0) != r.Logits || len(gotStates) != len(r.States) {
			t.Fatalf("%+v: %d logits, %d states", r, len(gotLogits), len(gotStates))
		}
		if r.Logits {
			compare(t, gotLogits, logits)
		}
		for i, n := range r.States {
			compare(t, gotStates[i], states[n])
		}
	}
	for _, after := range [][]int{{5}, {-1}, {2, 1}, {1, 1}} {
		if _, _, err := teacher.Read(t.Context(), tokens, Reading{States: after}); err == nil || !strings.Contains(err.Error(), "ascending numbers up to 4") {
			t.Errorf("states after %v layers: %v", after, err)
		}
	}
}

// An evaluation within documents is that of the student that is all of the teacher; parts of a teacher have none.
func TestEvaluateWithinDocuments(t *testing.T) {
	backend, teacher := newTiny(t, tiny(true))
	weights, err := teacher.Extract(slm.Subnet{})
	if err != nil {
		t.Fatal(err)
	}
	student, err := NewStudent(backend, teacher.Config, slm.Subnet{}, weights)
	if err != nil {
		t.Fatal(err)
	}
	defer student.Close()
	windows := someTokens(3*17, teacher.Config.Vocab)
	student.Separator = &windows[5]
	want, err := student.Loss(t.Context(), windows, 16)
	if err != nil {
		t.Fatal(err)
	}
	passes := Passes{Batch: 2, Separator: student.Separator}
	if got, err := teacher.Evaluate(t.Context(), slm.Subnet{}, windows, 16, passes); err != nil || math.Abs(got-want) > 1e-5 {
		t.Errorf("loss %g, %v; the student's is %g", got, err, want)
	}
	if across, err := teacher.Loss(t.Context(), slm.Subnet{}, windows, 16); err != nil || math.Abs(across-want) < 1e-4 {
		t.Errorf("across documents %g, %v; within them %g", across, err, want)
	}
	if _, err := teacher.Evaluate(t.Context(), slm.Subnet{Embd: slm.First(8)}, windows, 16, passes); err == nil || !strings.Contains(err.Error(), "extract the sub-network first") {
		t.Errorf("of a sub-network: %v", err)
	}
}
