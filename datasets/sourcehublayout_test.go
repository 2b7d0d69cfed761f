package datasets

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// layoutText is a layout as "config: split file file; split file", the default config with a star.
func layoutText(configs []hubConfig) (lines []string) {
	for _, c := range configs {
		var splits []string
		for _, s := range c.splits {
			splits = append(splits, s.name+" "+strings.Join(s.files, " "))
		}
		star := ""
		if c.isDefault {
			star = "*"
		}
		lines = append(lines, c.name+star+": "+strings.Join(splits, "; "))
	}
	return lines
}

func card(yaml string) string { return "---\nlicense: mit\n" + yaml + "\n---\n# A data set\n" }

func TestLayout(t *testing.T) {
	for _, test := range []struct {
		name, readme string
		names        []string
		want         []string
	}{
		{"shards", "", []string{"TinyStories-train.txt", "data/train-00000-of-00002-2d5a.parquet", "data/train-00001-of-00002-5852.parquet", "data/validation-00000-of-00001-869c.parquet"},
			[]string{"default*: train data/train-00000-of-00002-2d5a.parquet data/train-00001-of-00002-5852.parquet; validation data/validation-00000-of-00001-869c.parquet"}},
		{"splits of other names", "", []string{"data/math-00000-of-00001.jsonl.gz"}, []string{"default*: math data/math-00000-of-00001.jsonl.gz"}},
		{"file names", "", []string{"my_train_file.jsonl", "dev.jsonl", "eval-2.jsonl", "README.md", "trainer.jsonl"},
			[]string{"default*: train my_train_file.jsonl; validation dev.jsonl; test eval-2.jsonl"}},
		{"folder names", "", []string{"test/a.txt", "training/b.txt", "training/c.txt"}, []string{"default*: test test/a.txt; train training/b.txt training/c.txt"}},
		{"no names", "", []string{"a.json", "b.json", ".hidden.json", "__x/c.json", "dataset_info.json", "LICENSE.txt"}, []string{"default*: train a.json b.json"}},
		{"several formats", "", []string{"train.jsonl", "train.parquet", "train.txt", "train.csv"}, []string{"default*: train train.parquet"}},
		{"folders as configs", "", []string{"de/test.jsonl", "de/train.jsonl", "en/train.jsonl"},
			[]string{"default*: test de/test.jsonl; train de/train.jsonl en/train.jsonl", "de: test de/test.jsonl; train de/train.jsonl", "en: train en/train.jsonl"}},
		{"converted", "", []string{"de/train/0000.parquet", "de/train/0001.parquet", "en/partial-train/0000.parquet", "en/test/0000.parquet"},
			[]string{"de: train de/train/0000.parquet de/train/0001.parquet", "en: partial-train en/partial-train/0000.parquet; test en/test/0000.parquet"}},
		{"nothing", "", []string{"a.csv", "b.zip", "README.md"}, nil},
		{"a pattern", card("configs:\n- config_name: default\n  data_files: '*.jsonl'"), []string{"a.jsonl", "b.jsonl", "c/d.jsonl"}, []string{"default: train a.jsonl b.jsonl"}},
		{"patterns", card("configs:\n- config_name: x\n  data_files:\n  - b.jsonl\n  - '**/*.jsonl'"), []string{"a.jsonl", "b.jsonl", "c/d.jsonl"}, []string{"x: train b.jsonl a.jsonl c/d.jsonl"}},
		{"splits", card("configs:\n- config_name: sample\n  data_files:\n  - split: train\n    path: sample/10BT/*\n- config_name: default\n  default: true\n  data_files:\n  - split: train\n    path: data/*/*\n  - split: held\n    path:\n    - x.parquet\n    - y.parquet"),
			[]string{"data/CC-1/0.parquet", "data/CC-2/0.parquet", "sample/10BT/0.parquet", "x.parquet", "y.parquet", "z.parquet"},
			[]string{"sample: train sample/10BT/0.parquet", "default*: train data/CC-1/0.parquet data/CC-2/0.parquet; held x.parquet y.parquet"}},
		{"splits as keys", card("configs:\n- config_name: x\n  data_files:\n    train: a.jsonl\n    test: [b.jsonl, c.jsonl]"), []string{"a.jsonl", "b.jsonl", "c.jsonl"}, []string{"x: train a.jsonl; test b.jsonl c.jsonl"}},
		{"a folder", card("configs:\n- config_name: x\n  data_dir: sub\n- config_name: y\n  data_dir: ./sub/\n  data_files: a*"), []string{"a.jsonl", "sub/a.jsonl", "sub/test.jsonl"},
			[]string{"x: test sub/test.jsonl", "y: train sub/a.jsonl"}},
		{"configs without files", card("configs:\n- config_name: x\n  data_files: '*.csv'"), []string{"a.csv", "train.jsonl"}, nil},
		{"Markdown where it is asked for", card("configs:\n- data_files: docs/*.md"), []string{"docs/a.md", "README.md"}, []string{"default: train docs/a.md"}},
		{"a README about other things", card("task_ids: [a]\ntask_ids: [b]\ndataset_info:\n- config_name: x"), []string{"train.jsonl"}, []string{"default*: train train.jsonl"}},
		{"a README without YAML", "# configs:\n---\nconfigs: 1\n---", []string{"train.jsonl"}, []string{"default*: train train.jsonl"}},
		{"a README with Windows' line ends", strings.ReplaceAll(card("configs:\n- data_files: a.jsonl"), "\n", "\r\n"), []string{"a.jsonl", "b.jsonl"}, []string{"default: train a.jsonl"}},
	} {
		configs, err := layoutOf([]byte(test.readme), test.names)
		if got := layoutText(configs); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, %v\nwant %q", test.name, got, err, test.want)
		}
	}
}

func TestLayoutRefuses(t *testing.T) {
	for readme, want := range map[string]string{
		card("a: [b"):      "README.md: its YAML cannot be read",
		card("configs: 3"): "README.md: its configs cannot be read",
		card("configs:\n- data_files: {train: {a: b}}"):  "README.md: config default",
		card("configs:\n- data_files: [{split: [x]}]"):   "README.md: config default",
		card("configs:\n- data_files: 'a[b'"):            "is no pattern",
		card("configs:\n- data_files: [{path: {a: 1}}]"): "README.md: config default",
	} {
		if configs, err := layoutOf([]byte(readme), []string{"a.jsonl"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want %q", readme, configs, err, want)
		}
	}
}

func TestChoose(t *testing.T) {
	split := func(names ...string) (splits []hubSplit) {
		for _, name := range names {
			splits = append(splits, hubSplit{name, []string{name + ".jsonl"}})
		}
		return splits
	}
	several := []hubConfig{{name: "en", splits: split("train", "test")}, {name: "de", splits: split("train")}}
	withDefault := append(slices.Clone(several), hubConfig{name: "default", splits: split("train")})
	marked := append(slices.Clone(withDefault), hubConfig{name: "x", isDefault: true, splits: split("train")})
	for _, test := range []struct {
		configs       []hubConfig
		config, split string
		want          string
	}{
		{several[:1], "", "train", "en train"},
		{several, "de", "train", "de train"},
		{withDefault, "", "train", "default train"},
		{marked, "", "train", "x train"},
		{marked, "default", "train", "default train"},
		{several, "", "train", "it has several configs; name one with Config: there is en, de"},
		{several, "fr", "train", `there is no config "fr"; there is en, de`},
		{several, "en", "validation", `config en has no split "validation"; name one with Split: there is train, test`},
	} {
		config, s, err := choose(test.configs, test.config, test.split)
		got := fmt.Sprint(err)
		if err == nil {
			got = config + " " + s.name
		}
		if got != test.want {
			t.Errorf("config %q, split %q: %s, want %s", test.config, test.split, got, test.want)
		}
	}
}

func TestComplete(t *testing.T) {
	whole := []string{"data/train-00000-of-00002-a.parquet", "data/train-00001-of-00002-b.parquet", "en/c4-train.00000-of-00001.json.gz", "other.jsonl"}
	if err := complete(hubSplit{files: whole}); err != nil {
		t.Error(err)
	}
	if err := complete(hubSplit{files: whole[1:]}); err == nil || !strings.Contains(err.Error(), "data/train-*-of-00002 there are only 1") {
		t.Error(err)
	}
}

// FuzzLayout wants every file of a layout to be one of the repository's.
func FuzzLayout(f *testing.F) {
	f.Add([]byte(card("configs:\n- config_name: x\n  data_files:\n  - split: train\n    path: [a*, '**']")), "a.jsonl\nb/test.parquet")
	f.Add([]byte(card("configs:\n- data_dir: ../b\n  data_files: {train: '{a,b}*'}")), "de/train/0000.parquet")
	f.Fuzz(func(t *testing.T, readme []byte, list string) {
		names := strings.Split(list, "\n")
		configs, err := layoutOf(readme, names)
		if err != nil && len(configs) > 0 {
			t.Errorf("%v beside %v", configs, err)
		}
		for _, c := range configs {
			for _, s := range c.splits {
				if len(s.files) == 0 || slices.ContainsFunc(s.files, func(file string) bool { return !slices.Contains(names, file) }) {
					t.Errorf("config %s, split %s: %q", c.name, s.name, s.files)
				}
			}
		}
	})
}
