package checkpoint

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"
	"github.com/gomlx/go-huggingface/models/gguf"
	"github.com/offshoot-ml/offshoot/slm"
	"golang.org/x/sync/errgroup"
)

// Teacher is a pretrained model as it came from its file.
type Teacher struct {
	Config     slm.Config
	Weights    Weights // float32, whatever the file stores
	Vocabulary Vocabulary
	Path       string
	Bytes      int64  // size of the file
	SHA256     string // of the whole file, in hexadecimal: what a record of the teacher cites
}

// OpenGGUF reads a teacher of the Llama family from a GGUF file: every tensor, dequantized to float32 and in the order
// and under the names of transformers. It uses all cores.
//
// progress, when not nil, is told after each tensor how many of the file's tensor bytes are done; calls do not overlap.
// The error names the file; for one that is cut short it says how long the file should be and how to fetch it again.
// A cancelled context ends the reading within a tensor's time.
func OpenGGUF(ctx context.Context, path string, progress func(done, total int64)) (*Teacher, error) {
	teacher, err := openGGUF(ctx, path, progress)
	var cut *truncatedError
	switch {
	case err == nil:
		return teacher, nil
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("teacher %s is not there; fetch it with: go run ./kernelext/lab setup (%w)", path, err)
	case errors.As(err, &cut), errors.Is(err, errShort), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("teacher %s is cut short: %w; delete it and fetch it again with: go run ./kernelext/lab setup", path, err)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("teacher %s: loading was stopped: %w", path, context.Cause(ctx))
	}
	return nil, fmt.Errorf("teacher %s cannot be used: %w", path, err)
}

func openGGUF(ctx context.Context, path string, progress func(done, total int64)) (*Teacher, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, size, err := openChecked(path)
	if err != nil {
		return nil, err
	}
	config, err := readConfig(file, path)
	if err != nil {
		return nil, err
	}
	vocabulary, err := readVocabulary(file, config)
	if err != nil {
		return nil, err
	}
	if err := checkTensors(file, config); err != nil {
		return nil, err
	}
	t := &Teacher{Config: config, Vocabulary: vocabulary, Path: path, Bytes: size}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { t.SHA256, err = hashFile(ctx, path); return err })
	group.Go(func() (err error) { t.Weights, err = readTensors(ctx, file, config, progress); return err })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return t, nil
}

// parts are the GGUF names of a layer's tensors and those of transformers.
var parts = map[string]string{
	"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
	"attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
	"ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}

// huggingFaceName translates a GGUF tensor's name; one without a translation stays as it is, and Check will name it.
func huggingFaceName(name string) string {
	switch name {
	case "token_embd.weight":
		return "model.embed_tokens.weight"
	case "output_norm.weight":
		return "model.norm.weight"
	case "output.weight":
		return "lm_head.weight"
	}
	field := strings.Split(name, ".")
	if len(field) == 4 && field[0] == "blk" && field[3] == "weight" && parts[field[2]] != "" {
		return "model.layers." + field[1] + "." + parts[field[2]] + ".weight"
	}
	return name
}

// checkTensors compares the header's tensors with the architecture, before anything is read.
func checkTensors(file *gguf.File, c slm.Config) error {
	if 9*c.Layers > len(file.TensorInfos) {
		return fmt.Errorf("its header claims %d layers, but holds only %d tensors", c.Layers, len(file.TensorInfos))
	}
	have := make(map[string][]int, len(file.TensorInfos))
	for _, info := range file.TensorInfos {
		shape, _, err := shapeOf(info)
		if err != nil {
			return err
		}
		name := huggingFaceName(info.Name)
		if _, twice := have[name]; twice {
			return fmt.Errorf("tensor %q is there twice", name)
		}
		have[name] = shape
	}
	return compareShapes(have, Layout(c))
}

// readTensors dequantizes all tensors, the largest first so that the cores finish together.
func readTensors(ctx context.Context, file *gguf.File, c slm.Config, progress func(done, total int64)) (Weights, error) {
	infos := slices.SortedFunc(slices.Values(file.TensorInfos), func(a, b gguf.TensorInfo) int {
		return cmp.Compare(b.NumBytes(), a.NumBytes())
	})
	reader, err := gguf.NewReader(file)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var done, total int64
	for _, info := range infos {
		total += info.NumBytes()
	}
	weights := make(Weights, len(infos))
	var lock sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, info := range infos {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			tensor, err := readTensor(reader, info, c)
			if err != nil {
				return fmt.Errorf("tensor %q: %w", info.Name, err)
			}
			lock.Lock()
			defer lock.Unlock()
			weights[huggingFaceName(info.Name)] = tensor
			done += info.NumBytes()
			if progress != nil {
				progress(done, total)
			}
			return nil
		})
	}
	return weights, group.Wait()
}

// readTensor reads one tensor as float32 in the row order of transformers. A panic of the reader becomes an error.
func readTensor(reader *gguf.Reader, info gguf.TensorInfo, c slm.Config) (t Tensor, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the GGUF reader failed: %v", r)
		}
	}()
	shape, _, err := shapeOf(info)
	if err != nil {
		return t, err
	}
	source, err := reader.ReadTensor(nil, info.Name)
	if err != nil {
		return t, err
	}
	t.Shape = shape
	var kind error
	err = source.ConstFlatData(func(flat any) { t.Data, kind = toFloat32(flat) })
	if err = errors.Join(err, kind); err != nil {
		return t, err
	}
	if field := strings.Split(info.Name, "."); len(field) == 4 && (field[2] == "attn_q" || field[2] == "attn_k") {
		ordered := make([]float32, len(t.Data))
		unpermute(ordered, t.Data, c.HeadSize, c.Embd)
		t.Data = ordered
	}
	return t, nil
}

// toFloat32 widens the number types that a GGUF stores unquantized.
func toFloat32(flat any) ([]float32, error) {
	switch values := flat.(type) {
	case []float32:
		return values, nil // memory of a tensor that nothing else holds
	case []float16.Float16:
		return widen(values), nil
	case []bfloat16.BFloat16:
		return widen(values), nil
	}
	return nil, fmt.Errorf("values of type %T are not supported", flat)
}

func widen[T interface{ Float32() float32 }](values []T) []float32 {
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = v.Float32()
	}
	return out
}

// hashFile is the SHA-256 of a file in hexadecimal.
func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	buffer := make([]byte, 1<<20)
	for {
		n, err := f.Read(buffer)
		h.Write(buffer[:n])
		switch {
		case err == io.EOF:
			return hex.EncodeToString(h.Sum(nil)), nil
		case err != nil:
			return "", err
		case ctx.Err() != nil:
			return "", ctx.Err()
		}
	}
}
