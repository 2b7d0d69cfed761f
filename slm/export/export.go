package export

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/offshoot-ml/offshoot/slm"
	"github.com/offshoot-ml/offshoot/slm/checkpoint"
)

// Options say how a student is written. Zero fields take the presets.
type Options struct {
	Layers     Layers // preset: Auto
	DType      DType  // preset: Float32
	GGUF       bool   // write a file for llama.cpp too; it is a plain model, so not with Code
	ShardBytes int64  // largest safetensors file; preset: 5 GB
	// Progress, when not nil, is told how many bytes of weights are written.
	Progress func(done, total int64)
}

// Exported is a student that was written.
type Exported struct {
	Record
	Dir   string
	Class string // of transformers, such as "LlamaForCausalLM"
	GGUF  string // the file's name; "" for none
	Bytes int64  // of weights, in all files
}

// Write writes a student into a folder that transformers loads: weights, config.json, the tokenizer, a model card, and
// offshoot.json, from which [Open] reads it back. The folder is new, empty or holds an earlier export; it is changed as a
// whole or not at all. A cancelled context ends the writing within a tensor's time.
func Write(ctx context.Context, dir string, s Student, o Options) (Exported, error) {
	o.Layers, o.DType, o.ShardBytes = cmp.Or(o.Layers, Auto), cmp.Or(o.DType, Float32), cmp.Or(o.ShardBytes, 5e9)
	if o.DType.bytes() == 0 {
		return Exported{}, fmt.Errorf("export: numbers of type %q: want %s, %s or %s", o.DType, Float32, BFloat16, Float16)
	}
	if err := s.check(); err != nil {
		return Exported{}, err
	}
	if err := s.Tokenizer.check(s.Teacher.Vocab); err != nil {
		return Exported{}, err
	}
	w, err := newWriting(ctx, s, o)
	if err != nil {
		return Exported{}, err
	}
	files, err := w.files()
	if err != nil {
		return Exported{}, err
	}
	if err := writeFolder(dir, files); err != nil {
		return Exported{}, err
	}
	return Exported{Record: w.record, Dir: dir, Class: class(w.record), GGUF: w.gguf, Bytes: w.total}, nil
}

// writing is one export.
type writing struct {
	Student
	options Options
	ctx     context.Context
	record  Record
	weights checkpoint.Source // as the files have them
	names   []string          // of the weights, in order
	gguf    string            // the GGUF's name; "" for none
	done    int64             // bytes of weights
	total   int64
}

func newWriting(ctx context.Context, s Student, o Options) (*writing, error) {
	plain, err := newOrdinary(s.Teacher, s.Subnet)
	if err != nil {
		err = fmt.Errorf("student: %w", err)
	}
	layers, err := choose(s, o, plain, err)
	if err != nil {
		return nil, err
	}
	w := &writing{Student: s, options: o, ctx: ctx, record: Record{Version: recordVersion, Layers: layers, DType: o.DType, Parameters: s.Parameters(),
		Teacher: s.Teacher, Subnet: s.Subnet, Tokenizer: s.Tokenizer, Provenance: s.Provenance}}
	if layers == Code {
		w.weights = s.Weights
		for name := range s.Subnet.Tensors(s.Teacher) {
			w.names = append(w.names, name)
		}
		return w, nil
	}
	w.record.Model, w.record.Padding, w.weights = plain.config, plain.padding(), plain.weights(s.Weights)
	w.record.Model.Name = cmp.Or(s.Provenance.Name, "student of "+s.Teacher.Name)
	for name := range (slm.Subnet{}).Tensors(plain.config) {
		w.names = append(w.names, name)
	}
	return w, nil
}

// choose decides how the layers are written. plain is the plain model that holds the student, or noPlain says why there is
// none.
func choose(s Student, o Options, plain *ordinary, noPlain error) (Layers, error) {
	switch o.Layers {
	case Auto, Uniform, Padded, Code:
	default:
		return "", fmt.Errorf("export: layers %q: want %s, %s, %s or %s", o.Layers, Auto, Uniform, Padded, Code)
	}
	switch {
	case o.Layers == Code && o.GGUF:
		return "", fmt.Errorf("export: a GGUF holds plain models only; write the layers as %s", Padded)
	case o.Layers == Code:
		return Code, nil
	case noPlain != nil && o.Layers == Auto && !o.GGUF:
		return Code, nil
	case noPlain != nil:
		return "", noPlain
	case plain.padding() == 0:
		return Uniform, nil
	case o.Layers == Uniform:
		return "", fmt.Errorf("export: the student is no plain %s: %s; write the layers as %s or %s", s.Teacher.Family, unlike(s), Padded, Code)
	case o.Layers == Padded, o.GGUF, 2*plain.padding() <= s.Parameters():
		return Padded, nil
	}
	return Code, nil
}

// unlike says why a student is no plain model.
func unlike(s Student) string {
	layers := anatomies(s.Teacher, s.Subnet)
	if found := irregularities(layers); found != "" {
		return found
	}
	return fmt.Sprintf("GPT-NeoX has heads·head size = embedding, here %d·%d and %d", layers[0].heads(), layers[0].HeadSize, s.Subnet.Embd.Len(s.Teacher.Embd))
}

// files are those of the folder, config.json last.
func (w *writing) files() ([]output, error) {
	var files []output
	w.total = 0
	all := shards(w.names, w.weights, w.options.DType, w.options.ShardBytes)
	for _, s := range all {
		w.total += s.bytes
		files = append(files, output{s.name, s.bytes, func(out io.Writer) error { return s.write(out, w.weights, w.options.DType, w.wrote) }})
	}
	if w.options.GGUF {
		f, err := w.ggufFile()
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	texts, err := w.texts(all)
	files = append(files, texts...)
	return files, err
}

// wrote counts bytes of weights, and stops when the context ends.
func (w *writing) wrote(bytes int64) error {
	w.done += bytes
	if w.options.Progress != nil {
		w.options.Progress(w.done, w.total)
	}
	return context.Cause(w.ctx)
}

// ggufFile is the model for llama.cpp.
func (w *writing) ggufFile() (output, error) {
	values, err := w.ggufValues()
	if err != nil {
		return output{}, fmt.Errorf("export: GGUF: %w", err)
	}
	tensors := ggufTensors(w.record.Model, w.weights, w.options.DType)
	size := int64(0)
	for _, t := range tensors {
		size += t.bytes()
	}
	w.total += size
	w.gguf = map[DType]string{Float32: "model-f32.gguf", BFloat16: "model-bf16.gguf", Float16: "model-f16.gguf"}[w.options.DType]
	return output{w.gguf, size, func(out io.Writer) error { return writeGGUF(out, values, tensors, w.wrote) }}, nil
}

// ggufValues are the header's: what the model is, where it comes from, its sizes and its tokens.
func (w *writing) ggufValues() ([]ggufValue, error) {
	c, p := w.record.Model, w.Provenance
	values := []ggufValue{{"general.architecture", ggufArchitectures[c.Family]}, {"general.type", "model"},
		{"general.name", cmp.Or(p.Name, "student")}, {"general.file_type", ggufFileTypes[w.options.DType]}}
	for _, v := range []struct{ key, text string }{{"general.license", p.License}, {"general.base_model.0.name", p.Teacher.Name},
		{"general.base_model.0.version", p.Teacher.Revision}} {
		if v.text != "" {
			values = append(values, ggufValue{v.key, v.text})
		}
	}
	if p.Teacher.Name != "" {
		values = append(values, ggufValue{"general.base_model.count", uint32(1)})
	}
	if p.Teacher.Repository != "" {
		values = append(values, ggufValue{"general.base_model.0.repo_url", "https://huggingface.co/" + p.Teacher.Repository})
	}
	record, err := w.record.text()
	if err != nil {
		return nil, err
	}
	values = append(values, ggufValue{"offshoot.record", string(record)})
	sizes, err := ggufHyperparameters(c)
	if err != nil {
		return nil, err
	}
	vocabulary, err := ggufVocabulary(w.Tokenizer, c.Vocab)
	return append(append(values, sizes...), vocabulary...), err
}

// texts are all files but weights, config.json last.
func (w *writing) texts(all []shard) ([]output, error) {
	b := &texts{}
	if len(all) > 1 {
		b.json("model.safetensors.index.json", indexJSON(all))
	}
	w.Tokenizer.files(b, w.Teacher.Context)
	var config object
	if w.record.Layers != Code {
		config = configJSON(w.record.Model, w.options.DType, w.Tokenizer)
	} else {
		config = codeConfigJSON(w.Student, w.options.DType)
		b.text("configuration_offshoot.py", configurationCode, nil)
		b.text("modeling_offshoot.py", modelingCode, nil)
	}
	text, err := cardText(w.Student, w.record, w.gguf)
	b.text(cardFile, text, err)
	w.record.Files = w.fileNames(all, b.files)
	text, err = w.record.text()
	b.text(recordFile, text, err)
	b.json(configFile, config)
	return b.files, b.err
}

// fileNames are those of all files; texts are those before offshoot.json.
func (w *writing) fileNames(all []shard, texts []output) (names []string) {
	for _, s := range all {
		names = append(names, s.name)
	}
	if w.gguf != "" {
		names = append(names, w.gguf)
	}
	for _, f := range texts {
		names = append(names, f.name)
	}
	return append(names, recordFile, configFile)
}

// texts gathers files, and the first error of making them.
type texts struct {
	files []output
	err   error
}

func (b *texts) text(name string, text []byte, err error) {
	b.err = cmp.Or(b.err, err)
	b.files = append(b.files, output{name, int64(len(text)), func(out io.Writer) error {
		_, err := out.Write(text)
		return err
	}})
}

func (b *texts) json(name string, value object) {
	text, err := value.text()
	b.text(name, text, err)
}
