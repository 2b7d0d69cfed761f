package datasets

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"
)

// The README of a data set on the hub may begin with YAML that says which files belong to which config and split:
// https://huggingface.co/docs/hub/datasets-manual-configuration

// cardConfig is one of the configs in a README.
type cardConfig struct {
	Name    string    `yaml:"config_name"`
	Default bool      `yaml:"default"`
	Folder  string    `yaml:"data_dir"`
	Files   yaml.Node `yaml:"data_files"` // a pattern, a list of them, or splits with theirs
}

// readCard gives the configs that a README names; none when it says nothing about them.
func readCard(readme []byte) (configs []cardConfig, err error) {
	readme = bytes.ReplaceAll(bytes.TrimPrefix(readme, []byte("\uFEFF")), []byte("\r\n"), []byte("\n"))
	head, ok := bytes.CutPrefix(readme, []byte("---\n"))
	head, _, closed := bytes.Cut(head, []byte("\n---"))
	if !ok || !closed {
		return nil, nil
	}
	var document yaml.Node
	if err := yaml.Unmarshal(head, &document); err != nil {
		return nil, fmt.Errorf("README.md: its YAML cannot be read: %w", err)
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return nil, nil
	}
	// Only this key is decoded: the others are of many forms.
	for pair := range slices.Chunk(document.Content[0].Content, 2) {
		if pair[0].Value == "configs" {
			if err := pair[1].Decode(&configs); err != nil {
				return nil, fmt.Errorf("README.md: its configs cannot be read: %w", err)
			}
		}
	}
	return configs, nil
}

// resolve finds a config's files among those of the repository.
func (c cardConfig) resolve(names []string) (hubConfig, error) {
	config := hubConfig{name: cmp.Or(c.Name, defaultConfig), isDefault: c.Default}
	splits, err := cardSplits(&c.Files)
	if err != nil {
		return config, fmt.Errorf("README.md: config %s: %w", config.name, err)
	}
	if len(splits) == 0 {
		config.splits = splitsByName(below(c.Folder, names))
		return config, nil
	}
	for _, s := range splits {
		files, err := match(c.Folder, s.files, names)
		if err != nil {
			return config, fmt.Errorf("README.md: config %s: %w", config.name, err)
		}
		config.add(s.name, files)
	}
	return config, nil
}

// cardSplits reads the three forms of data_files. The files of the splits are patterns.
func cardSplits(node *yaml.Node) (splits []hubSplit, err error) {
	switch node.Kind {
	case 0:
		return nil, nil
	case yaml.MappingNode:
		for pair := range slices.Chunk(node.Content, 2) {
			patterns, err := patternsOf(pair[1])
			if err != nil {
				return nil, err
			}
			splits = append(splits, hubSplit{pair[0].Value, patterns})
		}
		return splits, nil
	case yaml.SequenceNode:
		if len(node.Content) > 0 && node.Content[0].Kind == yaml.MappingNode {
			return listedSplits(node)
		}
	}
	patterns, err := patternsOf(node)
	return []hubSplit{{defaultSplit, patterns}}, err
}

// listedSplits reads a list of splits with their paths.
func listedSplits(node *yaml.Node) (splits []hubSplit, err error) {
	var list []struct {
		Split string    `yaml:"split"`
		Path  yaml.Node `yaml:"path"`
	}
	if err := node.Decode(&list); err != nil {
		return nil, err
	}
	for _, s := range list {
		patterns, err := patternsOf(&s.Path)
		if err != nil {
			return nil, err
		}
		splits = append(splits, hubSplit{cmp.Or(s.Split, defaultSplit), patterns})
	}
	return splits, nil
}

// patternsOf reads a pattern, or a list of them.
func patternsOf(node *yaml.Node) (patterns []string, err error) {
	if node.Kind == yaml.ScalarNode {
		return []string{node.Value}, nil
	}
	err = node.Decode(&patterns)
	return patterns, err
}

// match gives the names that patterns below a folder match: in the order of the patterns, for each in that of the names.
func match(folder string, patterns, names []string) (matched []string, err error) {
	seen := map[string]bool{}
	for _, pattern := range patterns {
		pattern = path.Join(folder, pattern)
		if !doublestar.ValidatePattern(pattern) {
			return nil, fmt.Errorf("%q is no pattern of paths", pattern)
		}
		for _, name := range names {
			if !seen[name] && doublestar.MatchUnvalidated(pattern, name) {
				seen[name], matched = true, append(matched, name)
			}
		}
	}
	return matched, nil
}
