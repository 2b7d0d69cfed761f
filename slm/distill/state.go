package distill

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	gomlx "github.com/gomlx/gomlx/ml/model"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// stateVersion is raised when older checkpoints can no longer be continued.
const stateVersion = "1"

// state is what a checkpoint records beside its tensors, as one JSON text in the safetensors metadata.
type state struct {
	Version      string           `json:"version"`
	Steps        int              `json:"steps"`
	Tokens       int64            `json:"tokens"`
	Position     json.RawMessage  `json:"position"`
	Distillation slm.Distillation `json:"distillation"`
	Changes      []slm.Change     `json:"changes,omitempty"`
	Teacher      slm.Config       `json:"teacher,omitzero"` // the architecture that the sub-network is of; older files lack it
}

const stateKey = "offshoot"

// Save writes everything that the next step depends on to a safetensors file: weights, moments, steps, and the
// position in the data. It replaces the file at once or not at all.
func (t *Trainer) Save(path string) error {
	position, err := t.data.Position()
	if err != nil {
		return err
	}
	meta, err := json.Marshal(state{Version: stateVersion, Steps: t.steps, Tokens: t.tokens, Position: position, Distillation: t.Distillation,
		Changes: t.changes, Teacher: t.Student.Teacher})
	if err != nil {
		return err
	}
	weights := checkpoint.Weights{}
	for v := range t.Student.Store.IterVariables() {
		if !v.HasValue() || strings.HasPrefix(v.Path(), "/"+gatheredScope+"/") {
			continue
		}
		weight, err := toHost(v)
		if err != nil {
			return fmt.Errorf("checkpoint %s: %s: %w", path, v.Path(), err)
		}
		weights[v.Path()] = weight
	}
	return checkpoint.SaveSafetensors(path, weights, map[string]string{stateKey: string(meta)})
}

// toHost copies a variable's value. The optimizer's step counters are whole numbers, exact in float32 below 2^24.
func toHost(v *gomlx.Variable) (checkpoint.Tensor, error) {
	value, err := v.Value()
	if err != nil {
		return checkpoint.Tensor{}, err
	}
	shape := slices.Clone(value.Shape().Dimensions)
	if counter, ok := value.Value().(int64); ok && value.IsScalar() {
		return checkpoint.Tensor{Shape: shape, Data: []float32{float32(counter)}}, nil
	}
	data, err := model.Download(value)
	return checkpoint.Tensor{Shape: shape, Data: data}, err
}

// Load continues from a file that Save wrote for the same distillation. After an error the trainer must be closed.
func (t *Trainer) Load(path string) error {
	weights, metadata, err := checkpoint.LoadSafetensors(path)
	if err != nil {
		return err
	}
	s, err := parseState(metadata)
	if err != nil {
		return fmt.Errorf("checkpoint %s: %w", path, err)
	}
	if err := t.sameRun(s); err != nil {
		return fmt.Errorf("checkpoint %s: %w; move it away to start anew", path, err)
	}
	if err := t.Follow(s.Changes); err != nil {
		return fmt.Errorf("checkpoint %s: %w", path, err)
	}
	if _, ok := weights["/"+projection]; ok {
		if err := t.makeProjection(); err != nil {
			return fmt.Errorf("checkpoint %s: %w", path, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		if err := t.restore(name, weights[name]); err != nil {
			return fmt.Errorf("checkpoint %s: %s: %w", path, name, err)
		}
	}
	if err := t.forget(weights); err != nil {
		return fmt.Errorf("checkpoint %s: %w", path, err)
	}
	if err := t.data.Seek(s.Position); err != nil {
		return fmt.Errorf("checkpoint %s: %w", path, err)
	}
	t.steps, t.tokens, t.begun = s.Steps, s.Tokens, true
	return nil
}

// sameRun reports a state of another run: one with other options, or of another architecture, whatever its name.
func (t *Trainer) sameRun(s state) error {
	if !reflect.DeepEqual(s.Distillation, t.Distillation) {
		return fmt.Errorf("it is of a run with other options: %s", differences(s.Distillation, t.Distillation))
	}
	now := t.Student.Teacher
	now.Name = s.Teacher.Name
	if s.Teacher.Layers > 0 && !reflect.DeepEqual(s.Teacher, now) {
		return fmt.Errorf("it is of another architecture: %s", differences(s.Teacher, now))
	}
	return nil
}

// differences are the fields of their JSON in which two values differ, such as "batch is 16 there, 8 here".
func differences(there, here any) string {
	a, b := fields(there), fields(here)
	names := maps.Clone(a)
	maps.Copy(names, b)
	var found []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		x, y := cmp.Or(string(a[name]), "not set"), cmp.Or(string(b[name]), "not set")
		switch {
		case x == y:
		case len(x)+len(y) > 200: // a sub-network
			found = append(found, name)
		default:
			found = append(found, fmt.Sprintf("%s is %s there, %s here", name, x, y))
		}
	}
	return strings.Join(found, "; ")
}

// fields are those of a struct as JSON; they do not fail, since checkpoints are written so.
func fields(value any) (out map[string]json.RawMessage) {
	text, _ := json.Marshal(value)
	json.Unmarshal(text, &out)
	return out
}

// parseState reads the state from a file's metadata.
func parseState(metadata map[string]string) (s state, err error) {
	if err := json.Unmarshal([]byte(metadata[stateKey]), &s); err != nil {
		return s, fmt.Errorf("not one of a distillation: %w", err)
	}
	if s.Version != stateVersion {
		return s, fmt.Errorf("version %q, this program continues version %s", s.Version, stateVersion)
	}
	return s, nil
}

// forget zeroes what a checkpoint does not hold: gathered gradients, and the optimizer's state before the first step. Where the
// loss came to compare hidden states later, their projection begins anew.
func (t *Trainer) forget(weights checkpoint.Weights) error {
	for v := range t.Student.Store.IterVariables() {
		if _, saved := weights[v.Path()]; saved || !v.HasValue() {
			continue
		}
		first := tensors.FromShape(v.Shape())
		switch {
		case v.Name() == projection:
			first = t.firstProjection()
		case v.Trainable:
			return fmt.Errorf("%s is missing", v.Path())
		}
		if err := v.SetValue(first); err != nil {
			return err
		}
	}
	return nil
}

// restore sets a variable, or creates it: the optimizer's do not exist before the first step is compiled.
func (t *Trainer) restore(path string, w checkpoint.Tensor) error {
	value := tensors.FromFlatDataAndDimensions(w.Data, w.Shape...)
	if strings.HasSuffix(path, "/global_step") {
		value = tensors.FromScalar(int64(w.Data[0]))
	}
	if v := t.Student.Store.GetVariable(path); v != nil {
		if !v.Shape().Equal(value.Shape()) {
			return fmt.Errorf("its shape is %s, want %s", value.Shape(), v.Shape())
		}
		return v.SetValue(value)
	}
	v, err := t.Student.Store.CreateVariable(path, value)
	if err != nil {
		return err
	}
	v.SetTrainable(false)
	return nil
}
