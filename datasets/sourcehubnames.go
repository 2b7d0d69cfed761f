package datasets

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// converted is a name on the branch that the hub itself converts data sets to: config, split and number.
var converted = regexp.MustCompile(`^([^/]+)/([^/]+)/\d{4,}\.parquet$`)

// layoutByName is the layout where the README has none.
func layoutByName(names []string) []hubConfig {
	data := dataFiles(names)
	if len(data) > 0 && !slices.ContainsFunc(data, func(name string) bool { return !converted.MatchString(name) }) {
		return convertedLayout(data)
	}
	config := hubConfig{name: defaultConfig, isDefault: true, splits: splitsByName(below("", names))}
	if len(config.splits) == 0 {
		return nil
	}
	configs := []hubConfig{config}
	for _, folder := range folders(data) { // Python's datasets calls it data_dir
		if splits := splitsByName(below(folder, names)); folder != defaultConfig && len(splits) > 0 {
			configs = append(configs, hubConfig{name: folder, splits: splits})
		}
	}
	return configs
}

// folders are those at the top, without the ones that are no part of their own.
func folders(names []string) (found []string) {
	for _, name := range names {
		folder, _, inside := strings.Cut(name, "/")
		if inside && folder != "data" && splitNamed(folder) == "" && !slices.Contains(found, folder) {
			found = append(found, folder)
		}
	}
	return found
}

func convertedLayout(names []string) (configs []hubConfig) {
	for _, name := range names {
		part := converted.FindStringSubmatch(name)
		i := slices.IndexFunc(configs, func(c hubConfig) bool { return c.name == part[1] })
		if i < 0 {
			i, configs = len(configs), append(configs, hubConfig{name: part[1]})
		}
		configs[i].add(part[2], []string{name})
	}
	return configs
}

// dataFiles leaves out what is about the data, and what is hidden.
func dataFiles(names []string) (kept []string) {
	for _, name := range names {
		base := path.Base(name)
		about := slices.Contains([]string{"config.json", "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json",
			"requirements.txt", "license.txt"}, strings.ToLower(base)) || path.Ext(base) == ".md"
		hidden := slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool {
			return strings.HasPrefix(part, ".") || strings.HasPrefix(part, "__")
		})
		if _, _, known := hubFormat(name); known && !about && !hidden {
			kept = append(kept, name)
		}
	}
	return kept
}

// inFolder is the files below a folder.
type inFolder struct {
	folder string
	names  []string // without the folder
}

func below(folder string, names []string) inFolder {
	in := inFolder{folder: strings.Trim(path.Clean("/"+folder), "/")}
	for _, name := range dataFiles(names) {
		if in.folder == "" {
			in.names = append(in.names, name)
		} else if rest, ok := strings.CutPrefix(name, in.folder+"/"); ok {
			in.names = append(in.names, rest)
		}
	}
	return in
}

// splitNames are how the splits are called in names of files and folders, and between what.
var splitNames = []struct {
	split string
	named *regexp.Regexp
}{
	{"train", named("train|training")},
	{"validation", named("validation|valid|dev|val")},
	{"test", named("test|testing|eval|evaluation")},
}

func named(words string) *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[-._ 0-9])(?:` + words + `)(?:[-._ 0-9]|$)`)
}

// splitNamed is the split that a name of a file or folder speaks of; "" for none.
func splitNamed(name string) string {
	for _, s := range splitNames {
		if s.named.MatchString(name) {
			return s.split
		}
	}
	return ""
}

var sharded = regexp.MustCompile(`^data/([^/]+)-\d{5}-of-\d{5}[^/]*\.[^/]+$`)

// splitsByName sorts files into splits: as data/train-00000-of-00010.parquet says it, else by their folders, else by their
// own names; else all are for training.
func splitsByName(in inFolder) []hubSplit {
	for _, splitOf := range []func(name string) string{shardSplit, folderSplit, fileSplit, func(string) string { return defaultSplit }} {
		var config hubConfig
		files := map[string][]string{}
		var splits []string
		for _, name := range in.names {
			if split := splitOf(name); split != "" {
				if files[split] == nil {
					splits = append(splits, split)
				}
				files[split] = append(files[split], path.Join(in.folder, name))
			}
		}
		for _, split := range splits {
			config.add(split, files[split])
		}
		if len(config.splits) > 0 {
			return config.splits
		}
	}
	return nil
}

func shardSplit(name string) string {
	if part := sharded.FindStringSubmatch(name); part != nil {
		return part[1]
	}
	return ""
}

func folderSplit(name string) string {
	parts := strings.Split(name, "/")
	for _, part := range parts[:len(parts)-1] {
		if split := splitNamed(part); split != "" {
			return split
		}
	}
	return ""
}

func fileSplit(name string) string { return splitNamed(path.Base(name)) }
