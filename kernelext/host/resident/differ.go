package resident

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// maxDifferences bounds how many differing options an error lists.
const maxDifferences = 8

// Differences lists, a line each, the options in which two values differ: "bin.upper: 31500000 in the lab, 33000000 here".
func Differences(stored, asked any) []string {
	a, b := fields(stored), fields(asked)
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(union(a, b))) {
		if !reflect.DeepEqual(a[name], b[name]) {
			lines = append(lines, fmt.Sprintf("  %s: %s in the lab, %s here", name, shown(a, name), shown(b, name)))
		}
	}
	if more := len(lines) - maxDifferences; more > 0 {
		lines = append(lines[:maxDifferences], fmt.Sprintf("  and %d more", more))
	}
	return lines
}

// fields flattens a value's JSON: a path such as "bin.upper" for each leaf.
func fields(value any) map[string]any {
	decoder := json.NewDecoder(strings.NewReader(text(value)))
	decoder.UseNumber() // shown as they were written
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		panic(fmt.Sprintf("resident: %v", err))
	}
	flat := map[string]any{}
	flatten("", tree, flat)
	return flat
}

func flatten(path string, node any, into map[string]any) {
	switch node := node.(type) {
	case map[string]any:
		if path == "subnet" { // a sub-network has hundreds of fields and one name
			into[path] = subnetName(node)
			return
		}
		for key, child := range node {
			flatten(strings.TrimPrefix(path+"."+key, "."), child, into)
		}
	case []any:
		for i, child := range node {
			flatten(fmt.Sprintf("%s[%d]", path, i), child, into)
		}
	default:
		into[path] = node
	}
}

func subnetName(node map[string]any) string {
	var subnet slm.Subnet
	if err := json.Unmarshal([]byte(text(node)), &subnet); err != nil {
		return text(node)
	}
	if len(subnet.Layers) == 0 && subnet.Embd.IsZero() {
		return "the whole teacher"
	}
	return fmt.Sprintf("sub-network %s (%d layers, embd %s)", subnet.Key(), len(subnet.Layers), subnet.Embd)
}

func shown(fields map[string]any, name string) string {
	value, ok := fields[name]
	if !ok {
		return "not set"
	}
	if name == "subnet" {
		return value.(string)
	}
	return text(value)
}

func union(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
