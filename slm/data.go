package slm

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Data says where text comes from: files of one's own, a data set of the Hugging Face hub, or a mixture. The zero value is
// the Go installation's own source and prose, which needs no download.
type Data struct {
	Paths    []string `json:"paths,omitempty"`    // files and folders: text, Markdown, JSONL and Parquet, also compressed
	Name     string   `json:"name,omitempty"`     // or a data set of the hub, such as "roneneldan/TinyStories"
	Revision string   `json:"revision,omitempty"` // of the data set: a branch, tag or commit; empty is "main"
	Config   string   `json:"config,omitempty"`   // of the data set, such as "sample-10BT"; empty is the only or default one
	Split    string   `json:"split,omitempty"`    // of the data set; empty is "train"
	Column   string   `json:"column,omitempty"`   // of JSONL and Parquet that holds the text; empty is "text"
	Mixture  []Share  `json:"mixture,omitempty"`  // or several, drawn from by weight
	Tokens   int64    `json:"tokens,omitempty"`   // at most so many: the document that reaches them is the last; 0 is all
}

// IsZero reports the Go installation's own text.
func (d Data) IsZero() bool { return reflect.DeepEqual(d, Data{}) }

// Share is one part of a mixture.
type Share struct {
	Data   Data    `json:"data"`
	Weight float64 `json:"weight"` // of its tokens among those of all parts
}

// presets are data sets of the hub by short names.
var presets = map[string]Data{
	"fineweb-edu": {Name: "HuggingFaceFW/fineweb-edu", Config: "sample-10BT"},
	"nemotron-cc": {Name: "nvidia/Nemotron-CC-v2", Config: "High-Quality"}, // the paper's corpus; gated: it needs a token
	"tinystories": {Name: "roneneldan/TinyStories"},
	"wikitext":    {Name: "Salesforce/wikitext", Config: "wikitext-103-raw-v1"},
}

// DataPresets lists the short names that [NamedData] knows beside those of the hub.
func DataPresets() []string {
	names := []string{"goroot"}
	for name := range presets {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// NamedData is the data of a name as people write it: "goroot", one of [DataPresets], or a data set of the hub as
// "owner/name", "owner/name@revision".
func NamedData(name string) (Data, error) {
	if name == "goroot" {
		return Data{}, nil
	}
	if d, ok := presets[name]; ok {
		return d, nil
	}
	repo, revision, _ := strings.Cut(name, "@")
	d := Data{Name: repo, Revision: revision}
	if err := d.Validate(); err != nil || !strings.Contains(repo, "/") {
		return Data{}, fmt.Errorf("data %q: want one of %v, or a data set of the hub as owner/name", name, DataPresets())
	}
	return d, nil
}

// Validate reports what contradicts itself, or is not a name.
func (d Data) Validate() error {
	kinds := 0
	for _, given := range []bool{len(d.Paths) > 0, d.Name != "", len(d.Mixture) > 0} {
		if given {
			kinds++
		}
	}
	if kinds > 1 {
		return errors.New("data: give paths, the name of a data set, or a mixture, not several of them")
	}
	if d.Name != "" && !repository(d.Name) {
		return fmt.Errorf("data: %q is not the name of a data set, such as \"roneneldan/TinyStories\"", d.Name)
	}
	if d.Tokens < 0 {
		return fmt.Errorf("data: at most %d tokens: want 0 for all, or more", d.Tokens)
	}
	if d.Name == "" && (d.Revision != "" || d.Config != "" || d.Split != "") {
		return errors.New("data: revision, config and split are those of a data set of the hub; it has no name")
	}
	for i, part := range d.Mixture {
		if !(part.Weight > 0) {
			return fmt.Errorf("data: part %d of the mixture has the weight %g; want a positive one", i, part.Weight)
		}
		if len(part.Data.Mixture) > 0 {
			return fmt.Errorf("data: part %d of the mixture is a mixture itself; list its parts instead", i)
		}
		if part.Data.Tokens != 0 {
			return fmt.Errorf("data: part %d of the mixture is limited to %d tokens; parts follow their weights: limit the mixture", i, part.Data.Tokens)
		}
		if err := part.Data.Validate(); err != nil {
			return fmt.Errorf("part %d of the mixture: %w", i, err)
		}
	}
	return nil
}

// repository reports whether a name is one that the hub allows: owner/name, or a name alone.
func repository(name string) bool {
	parts := strings.Split(name, "/")
	if len(parts) > 2 {
		return false
	}
	for _, p := range parts {
		ok := p != "" && p != "." && p != ".." && strings.IndexFunc(p, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
		}) < 0
		if !ok {
			return false
		}
	}
	return true
}

// String names the data as people do: "goroot", "roneneldan/TinyStories", "notes, letters.txt".
func (d Data) String() string {
	switch {
	case len(d.Mixture) > 0:
		var parts []string
		for _, part := range d.Mixture {
			parts = append(parts, fmt.Sprintf("%g %s", part.Weight, part.Data))
		}
		return strings.Join(parts, " + ")
	case d.Name != "":
		name := d.Name
		if d.Revision != "" {
			name += "@" + d.Revision
		}
		if d.Config != "" {
			name += " (" + d.Config + ")"
		}
		return name
	case len(d.Paths) > 0:
		return strings.Join(d.Paths, ", ")
	}
	return "goroot"
}
