package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
)

// keys reads typed values of a JSON object, and collects what is wrong with them, so that one error names everything.
type keys struct {
	values map[string]json.RawMessage
	within string // the object's own key, with a dot; "" for the outermost
	wrong  []error
}

func parseKeys(text []byte) (*keys, error) {
	k := &keys{}
	if err := json.Unmarshal(text, &k.values); err != nil {
		return nil, fmt.Errorf("it is not a JSON object: %w", err)
	}
	return k, nil
}

// has reports whether a key is there and not null.
func (k *keys) has(name string) bool {
	value, ok := k.values[name]
	return ok && string(value) != "null"
}

// read is a value of any type, and the preset where the key is left out or null.
func read[T any](k *keys, name, want string, preset T) T {
	if !k.has(name) {
		return preset
	}
	var value T
	if json.Unmarshal(k.values[name], &value) != nil {
		k.refuse(name, want)
		return preset
	}
	return value
}

func (k *keys) truth(name string, preset bool) bool { return read(k, name, "true or false", preset) }

func (k *keys) text(name, preset string) string { return read(k, name, "a text", preset) }

func (k *keys) number(name string, preset float64) float64 { return read(k, name, "a number", preset) }

// mostCount bounds every count of an architecture.
const mostCount = 1 << 24

// count reads a number of things; a preset of 0 says that the key must be there.
func (k *keys) count(name string, preset int) int {
	want := fmt.Sprintf("a whole number from 1 to %d", mostCount)
	if preset == 0 && !k.has(name) {
		k.wrong = append(k.wrong, fmt.Errorf("%q is missing, want %s", k.within+name, want))
		return 0
	}
	n := read(k, name, want, preset)
	if n < 1 || n > mostCount {
		k.refuse(name, want)
	}
	return n
}

// object is a nested object; nil where the key is left out, null or empty.
func (k *keys) object(name string) *keys {
	nested := &keys{values: read(k, name, "an object", map[string]json.RawMessage(nil)), within: k.within + name + "."}
	if len(nested.values) == 0 {
		return nil
	}
	return nested
}

// refuse notes that a key's value is not what is wanted.
func (k *keys) refuse(name, want string) {
	k.wrong = append(k.wrong, fmt.Errorf("%q is %s, want %s", k.within+name, k.shown(name), want))
}

// shown is a value for a message, cut where it is long.
func (k *keys) shown(name string) string {
	value, ok := k.values[name]
	switch {
	case !ok:
		return "missing"
	case len(value) > 60:
		return fmt.Sprintf("%.60s…", value)
	}
	return string(value)
}

func (k *keys) err() error { return errors.Join(k.wrong...) }
