package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/offshoot-ml/offshoot/datasets"
	"github.com/offshoot-ml/offshoot/kernelext"
	"github.com/offshoot-ml/offshoot/kernelext/host/ask"
	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
	"github.com/offshoot-ml/offshoot/slm/model"
)

// opened is a model whose weights are not on the device yet, and a sub-network of it.
type opened struct {
	name       string // as it was asked for
	config     slm.Config
	subnet     slm.Subnet
	weights    checkpoint.Source
	vocabulary checkpoint.Vocabulary
}

// openModel finds a model by its reference: a teacher that set-up or a person put into the lab's folder of teachers, by its
// name, or whatever checkpoint.Open takes. subnet is a JSON file, or empty for all of the model.
func openModel(ctx context.Context, reference, subnet string, m *meter) (*opened, error) {
	path := reference
	if home, err := kernelext.Home(); err == nil && !strings.ContainsAny(reference, `/\`) {
		if installed := filepath.Join(home, "teachers", reference+".gguf"); isFile(installed) {
			path = installed
		}
	}
	file, err := checkpoint.OpenGGUF(ctx, path, m.part("reading "+reference, "bytes"))
	if err != nil {
		return nil, err
	}
	o := &opened{name: reference, config: file.Config, weights: file.Weights, vocabulary: file.Vocabulary}
	if subnet != "" {
		o.subnet, err = ask.ReadSubnet(subnet, file.Config)
	}
	return o, err
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// windows cuts a text's tokens into windows of seq tokens, row-major; the last, partial one is dropped.
func (o *opened) windows(text string, seq int) ([]int32, error) {
	tokenizer, err := datasets.NewTokenizer(o.vocabulary)
	if err != nil {
		return nil, err
	}
	defer tokenizer.Close()
	ids := tokenizer.Encode(text)
	if len(ids) < seq {
		return nil, fmt.Errorf("its %d tokens are too few for one window of %d", len(ids), seq)
	}
	for _, id := range ids {
		if int(id) >= o.config.Vocab {
			return nil, fmt.Errorf("the tokenizer's token %d is outside the vocabulary of %s, %d", id, o.name, o.config.Vocab)
		}
	}
	return ids[:len(ids)/seq*seq], nil
}

// load puts the weights on the device.
func (o *opened) load(ctx context.Context, m *meter) (*model.Teacher, error) {
	backend, err := model.NewBackend()
	if err != nil {
		return nil, err
	}
	return model.Load(ctx, backend, o.config, o.weights, m.part("loading "+o.name, "bytes"))
}
