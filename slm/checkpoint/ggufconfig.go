package checkpoint

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/offshoot-ml/offshoot/slm"
)

// ggufFamilies are the families by llama.cpp's names.
var ggufFamilies = map[string]slm.Family{"gptneox": slm.GPTNeoX, "llama": slm.Llama, "qwen3": slm.Qwen3}

// ggufKeys reads typed values of a header, and remembers what was missing or of another type.
type ggufKeys struct {
	*gguf
	family string // llama.cpp's name, the prefix of most keys
	wrong  []error
}

// count reads a positive count under the family's prefix; a preset of 0 says that it must be there.
func (k *ggufKeys) count(key string, preset int) int {
	value, ok := k.values[k.family+"."+key]
	if !ok && preset > 0 {
		return preset
	}
	n, _ := value.(int64)
	if n < 1 || n > mostCount {
		k.wrong = append(k.wrong, fmt.Errorf("header value %q is %s, want a whole number from 1 to %d", k.family+"."+key, shownValue(value), mostCount))
		return 0
	}
	return int(n)
}

// number reads a float32 as the shortest decimal that means it: 1e-5, not 9.99999974e-06.
func (k *ggufKeys) number(key string, preset float64) float64 {
	value, ok := k.values[k.family+"."+key]
	v := math.NaN()
	switch n := value.(type) {
	case float32:
		v = shortest(n)
	case float64:
		v = n
	case int64:
		v = float64(n)
	}
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		return v
	}
	if ok {
		k.wrong = append(k.wrong, fmt.Errorf("header value %q is %s, want a number", k.family+"."+key, shownValue(value)))
	}
	return preset
}

func shortest(v float32) float64 {
	decimal, _ := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
	return decimal
}

// id reads a token's number; -1 when the file names none.
func (k *ggufKeys) id(key string, tokens int) int {
	value, ok := k.values[key]
	if !ok {
		return -1
	}
	n, isNumber := value.(int64)
	if !isNumber || n < 0 || n >= int64(tokens) {
		k.wrong = append(k.wrong, fmt.Errorf("header value %q is %s, want a token's id below %d", key, shownValue(value), tokens))
		return -1
	}
	return int(n)
}

func (k *ggufKeys) text(key string) string { s, _ := k.values[key].(string); return s }

func (k *ggufKeys) texts(key string) []string { s, _ := k.values[key].([]string); return s }

// shownValue is a header value for a message.
func shownValue(value any) string {
	switch v := value.(type) {
	case nil:
		return "missing"
	case []string:
		return fmt.Sprintf("a list of %d texts", len(v))
	case ggufNumbers:
		return "a list of numbers"
	case string:
		return fmt.Sprintf("%.40q", v)
	}
	return fmt.Sprint(value)
}

// config takes the architecture from the header, and names it. Rotary factors, which are a tensor, are still to be read.
func (g *gguf) config(name string) (slm.Config, error) {
	k := &ggufKeys{gguf: g, family: g.architecture()}
	c := slm.Config{Name: name, Family: ggufFamilies[k.family]}
	if c.Family == "" {
		return c, fmt.Errorf("it holds a model of family %q; supported: %s", k.family, "gptneox, llama, qwen3")
	}
	c.Layers, c.Embd, c.Heads = k.count("block_count", 0), k.count("embedding_length", 0), k.count("attention.head_count", 0)
	c.FFN, c.Context = k.count("feed_forward_length", 0), k.count("context_length", 0)
	c.QueryGroups = k.count("attention.head_count_kv", c.Heads)
	c.HeadSize = k.count("attention.key_length", c.Embd/max(1, c.Heads))
	c.Vocab = k.count("vocab_size", len(k.texts("tokenizer.ggml.tokens")))
	c.RopeTheta = k.number("rope.freq_base", 10000)
	c.Tied = !g.has("output.weight")
	k.readNorms(&c)
	k.readRotation(&c)
	if n := k.count("attention.value_length", max(1, c.HeadSize)); n != c.HeadSize {
		k.wrong = append(k.wrong, fmt.Errorf("heads have values of %d dimensions and keys of %d, want as many", n, c.HeadSize))
	}
	return c, errors.Join(k.wrong...)
}

func (g *gguf) architecture() string { s, _ := g.values["general.architecture"].(string); return s }

func (g *gguf) has(tensor string) bool {
	for _, t := range g.tensors {
		if t.name == tensor {
			return true
		}
	}
	return false
}

func (k *ggufKeys) readNorms(c *slm.Config) {
	if c.Family != slm.GPTNeoX {
		c.NormEps = k.number("attention.layer_norm_rms_epsilon", 0)
		return
	}
	c.NormEps = k.number("attention.layer_norm_epsilon", 0)
	var ok bool
	if c.ParallelResidual, ok = k.values["gptneox.use_parallel_residual"].(bool); !ok {
		k.wrong = append(k.wrong, fmt.Errorf("header value %q is missing, want true or false", "gptneox.use_parallel_residual"))
	}
}

func (k *ggufKeys) readRotation(c *slm.Config) {
	rotated := k.count("rope.dimension_count", max(1, c.HeadSize))
	switch {
	case rotated == c.HeadSize:
	case c.Family == slm.GPTNeoX:
		c.RotaryFraction = float64(rotated) / float64(max(1, c.HeadSize))
	default:
		k.wrong = append(k.wrong, fmt.Errorf("it rotates %d of %d dimensions of a head; only all of them is supported", rotated, c.HeadSize))
	}
	factor := k.number("rope.scaling.factor", k.number("rope.scale_linear", 1)) // the latter is an older name
	switch kind := k.text(k.family + ".rope.scaling.type"); kind {
	case "", slm.LinearScaling: // llama.cpp takes the factor alone for the same
		if factor != 0 && factor != 1 {
			c.RopeScaling = slm.RopeScaling{Kind: slm.LinearScaling, Factor: factor}
		}
	case "none":
	default:
		k.wrong = append(k.wrong, fmt.Errorf("it scales rotary positions by %q; none and linear are supported", kind))
	}
}

// useFactors adds the divisors of rope_freqs.weight, which llama.cpp's converter computes from Llama 3's parameters. They
// come on top of a linear scaling.
func useFactors(c *slm.Config, factors []float32) {
	linear := 1.0
	if c.RopeScaling.Kind == slm.LinearScaling {
		linear = c.RopeScaling.Factor
	}
	scaled := slm.RopeScaling{Kind: slm.PerPairScaling, Factors: make([]float64, len(factors))}
	plain := true
	for i, f := range factors {
		scaled.Factors[i] = linear * float64(f)
		plain = plain && f == 1
	}
	if !plain {
		c.RopeScaling = scaled
	}
}
