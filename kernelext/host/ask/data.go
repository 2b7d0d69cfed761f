package ask

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/offshoot-ml/offshoot/slm"
)

// Data is the flags that say where text comes from.
type Data struct{ Name, Tokens, Config, Split, Column string }

// Flags defines them; the text is that of a name unless another is given.
func (d *Data) Flags(set *flag.FlagSet, name string) {
	set.StringVar(&d.Name, "data", name, "the text `DATA`: goroot, a preset or data set of the hub, files and folders with commas between, or a mixture by weight, such as \"0.7 tinystories + 0.3 goroot\"; presets: "+
		strings.Join(slm.DataPresets(), ", "))
	set.StringVar(&d.Tokens, "data-tokens", "0", "use at most so many tokens `N` of the text; 0 is all")
	set.StringVar(&d.Config, "config", "", "the `CONFIG` of a data set of the hub, such as sample-10BT")
	set.StringVar(&d.Split, "split", "", "the `SPLIT` of a data set of the hub (default: train)")
	set.StringVar(&d.Column, "column", "", "the `COLUMN` of JSONL and Parquet with the text")
}

// Read is the text that the flags describe.
func (d *Data) Read() (data slm.Data, err error) {
	if data, err = d.mixture(); err != nil {
		return data, fmt.Errorf("--data: %w", err)
	}
	if data.Tokens, err = slm.ParseCount(d.Tokens); err != nil && d.Tokens != "0" {
		return data, fmt.Errorf("--data-tokens: %w", err)
	}
	return data, data.Validate()
}

// mixture reads parts with their weights, in the form of [slm.Data.String]. A single part has no weight.
func (d *Data) mixture() (slm.Data, error) {
	parts := strings.Split(d.Name, " + ")
	if len(parts) == 1 {
		return d.part(d.Name)
	}
	if d.Config != "" || d.Split != "" {
		return slm.Data{}, errors.New("--config and --split are of one data set, not of a mixture")
	}
	var all slm.Data
	for _, text := range parts {
		number, name, _ := strings.Cut(strings.TrimSpace(text), " ")
		weight, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return all, fmt.Errorf("%q: want a weight and a text, such as \"0.7 tinystories\"", text)
		}
		data, err := d.part(strings.TrimSpace(name))
		if err != nil {
			return all, err
		}
		all.Mixture = append(all.Mixture, slm.Share{Data: data, Weight: weight})
	}
	return all, nil
}

// part is files and folders, where they are there, or else what a name means.
func (d *Data) part(name string) (data slm.Data, err error) {
	paths := strings.Split(name, ",")
	missing := slices.IndexFunc(paths, func(p string) bool { _, err := os.Stat(p); return err != nil })
	if missing < 0 {
		data = slm.Data{Paths: paths}
	} else if data, err = slm.NamedData(name); err != nil {
		return data, fmt.Errorf("there is no file or folder %q, and %w", paths[missing], err)
	}
	if d.Config != "" {
		data.Config = d.Config
	}
	data.Split, data.Column = d.Split, d.Column
	return data, nil
}
