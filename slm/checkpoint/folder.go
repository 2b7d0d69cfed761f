package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/offshoot-ml/offshoot/slm"
)

// The files of a model as transformers writes it into a folder.
const (
	configFile          = "config.json"
	weightsFile         = "model.safetensors"
	indexFile           = "model.safetensors.index.json"
	tokenizerFile       = "tokenizer.json"
	tokenizerConfigFile = "tokenizer_config.json"
)

// openFolder opens the model in a folder, and names it. weights is the safetensors file; "" finds model.safetensors or
// the files of its index.
func openFolder(folder, weights, name string) (*Teacher, error) {
	config, eos, err := readConfigFile(folder, name)
	if err != nil {
		return nil, err
	}
	opened, names, err := openWeights(folder, weights)
	if err != nil {
		return nil, err
	}
	t := &Teacher{Config: config, Source: opened, EOS: eos, files: opened, Origin: Origin{Path: folder}}
	for _, file := range opened.files {
		t.Bytes += file.size
	}
	if err := t.completeFolder(opened, append(names, configFile)); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// completeFolder checks the tensors, and adds what is not weights.
func (t *Teacher) completeFolder(opened *shards, names []string) error {
	if err := checkTeacher(opened.shapes(), t.Config); err != nil {
		return err
	}
	if err := opened.checkTypes(Layout(t.Config)); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(t.Origin.Path, tokenizerFile))
	switch {
	case err == nil:
		t.TokenizerJSON = text
		names = append(names, tokenizerFile)
		if t.EOS < 0 {
			t.EOS = namedEOS(t.Origin.Path, text)
		}
	case !errors.Is(err, os.ErrNotExist):
		return err
	}
	t.Origin.Files, err = originFiles(t.Origin.Path, names...)
	return err
}

func readConfigFile(folder, name string) (c slm.Config, eos int, err error) {
	text, err := os.ReadFile(filepath.Join(folder, configFile))
	if err != nil {
		return c, -1, err
	}
	k, err := parseKeys(text)
	if err == nil {
		c, err = k.config(name)
	}
	if err == nil {
		eos = k.endOfText()
		err = k.err()
	}
	if err != nil {
		return c, -1, fmt.Errorf("%s: %w", configFile, err)
	}
	return c, eos, nil
}

// openWeights opens the weights of a folder, and lists their files and, where there is one, their index.
func openWeights(folder, weights string) (*shards, []string, error) {
	if weights == "" && exists(folder, weightsFile) {
		weights = weightsFile
	}
	if weights != "" {
		opened, err := openShards(folder, []string{weights}, nil)
		return opened, []string{weights}, err
	}
	text, err := os.ReadFile(filepath.Join(folder, indexFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, noWeights(folder)
	}
	if err != nil {
		return nil, nil, err
	}
	index, files, err := parseIndex(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", indexFile, err)
	}
	opened, err := openShards(folder, files, index)
	return opened, append(files, indexFile), err
}

func exists(folder, name string) bool {
	_, err := os.Stat(filepath.Join(folder, name))
	return err == nil
}

// noWeights explains a folder without safetensors by what it has instead.
func noWeights(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return noSafetensors(names, folder)
}

// noSafetensors says what to do about a model of which there are only other files.
func noSafetensors(names []string, reference string) error {
	i := slices.IndexFunc(names, func(name string) bool {
		ext := filepath.Ext(name)
		return ext == ".bin" || ext == ".pt" || ext == ".pth"
	})
	if i < 0 {
		return fmt.Errorf("it has neither %s nor %s", weightsFile, indexFile)
	}
	return fmt.Errorf("its weights are in %s, a Python pickle, which can run code and is not read; convert it with transformers: "+
		"AutoModelForCausalLM.from_pretrained(%q).save_pretrained(\"converted\"), and open the folder \"converted\"", names[i], reference)
}

// namedEOS looks up the id of the token that tokenizer_config.json names as the end of texts; -1 where that fails.
func namedEOS(folder string, tokenizer []byte) int {
	text, err := os.ReadFile(filepath.Join(folder, tokenizerConfigFile))
	if err != nil {
		return -1
	}
	var named struct {
		EOS json.RawMessage `json:"eos_token"`
	}
	var token struct{ Content string }
	if json.Unmarshal(text, &named) != nil {
		return -1
	}
	if json.Unmarshal(named.EOS, &token.Content) != nil && json.Unmarshal(named.EOS, &token) != nil {
		return -1
	}
	var vocabulary struct {
		Added []struct {
			ID      int
			Content string
		} `json:"added_tokens"`
	}
	if json.Unmarshal(tokenizer, &vocabulary) != nil {
		return -1
	}
	for _, t := range vocabulary.Added {
		if t.Content == token.Content {
			return t.ID
		}
	}
	return -1
}
