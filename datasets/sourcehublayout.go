package datasets

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// What a config and a split are called where the repository does not say.
const (
	defaultConfig = "default"
	defaultSplit  = "train"
)

// hubConfig is one of the configs of a data set: a part of its own, such as a language or a sample.
type hubConfig struct {
	name      string
	isDefault bool // the README says so
	splits    []hubSplit
}

// hubSplit has its files in the order in which they are read.
type hubSplit struct {
	name  string
	files []string
}

// layoutOf tells which files the configs and splits of a data set have: by its README, else by their names as Python's
// datasets does. Only files that can be read count. names are sorted; none of the configs is without a split.
func layoutOf(readme []byte, names []string) ([]hubConfig, error) {
	cards, err := readCard(readme)
	if err != nil {
		return nil, err
	}
	var configs []hubConfig
	for _, card := range cards {
		config, err := card.resolve(names)
		if err != nil {
			return nil, err
		}
		if len(config.splits) > 0 {
			configs = append(configs, config)
		}
	}
	if len(configs) == 0 && len(cards) == 0 {
		configs = layoutByName(names)
	}
	return configs, nil
}

// add adds files to a split, those that can be read.
func (c *hubConfig) add(split string, files []string) {
	files = oneFormat(files)
	i := slices.IndexFunc(c.splits, func(s hubSplit) bool { return s.name == split })
	switch {
	case len(files) == 0:
	case i < 0:
		c.splits = append(c.splits, hubSplit{split, files})
	default:
		c.splits[i].files = append(c.splits[i].files, files...)
	}
}

// hubFormat is formatOf on the hub, where a .json is JSON Lines.
func hubFormat(name string) (format, compression, bool) {
	if path.Ext(name) == ".json" {
		return linesFormat, "", true
	}
	return formatOf(name)
}

// oneFormat keeps the files of one format, since a data set may have the same text in several: Parquet rather than JSON
// Lines rather than text.
func oneFormat(names []string) (kept []string) {
	for _, want := range []format{parquetFormat, linesFormat, textFormat} {
		for _, name := range names {
			if f, _, known := hubFormat(name); known && f == want {
				kept = append(kept, name)
			}
		}
		if len(kept) > 0 {
			break
		}
	}
	return kept
}

// choose finds a config and a split in a layout. The error lists those that there are.
func choose(configs []hubConfig, config, split string) (string, hubSplit, error) {
	names := make([]string, len(configs))
	found := -1
	for i, c := range configs {
		names[i] = c.name
		switch {
		case c.name == config, config == "" && (c.isDefault || len(configs) == 1):
			found = i
		case config == "" && c.name == defaultConfig && found < 0:
			found = i
		}
	}
	if found < 0 && config == "" {
		return "", hubSplit{}, fmt.Errorf("it has several configs; name one with Config: there is %s", strings.Join(names, ", "))
	}
	if found < 0 {
		return "", hubSplit{}, fmt.Errorf("there is no config %q; there is %s", config, strings.Join(names, ", "))
	}
	var splits []string
	for _, s := range configs[found].splits {
		if s.name == split {
			return configs[found].name, s, nil
		}
		splits = append(splits, s.name)
	}
	return "", hubSplit{}, fmt.Errorf("config %s has no split %q; name one with Split: there is %s", configs[found].name, split, strings.Join(splits, ", "))
}

var counted = regexp.MustCompile(`^(.*)[-.]\d{5}-of-(\d{5})`)

// complete reports a split that lacks some of the files that the names of the others count. A cache that another program
// filled may do so.
func complete(s hubSplit) error {
	have := map[string]int{} // files by what they have in common: a beginning, and how many there should be
	for _, name := range s.files {
		if part := counted.FindStringSubmatch(name); part != nil {
			have[part[1]+"\x00"+part[2]]++
		}
	}
	for common, n := range have {
		begin, count, _ := strings.Cut(common, "\x00")
		if fmt.Sprintf("%05d", n) < count {
			return fmt.Errorf("of the files %s-*-of-%s there are only %d; fetch the rest while there is a network", begin, count, n)
		}
	}
	return nil
}
