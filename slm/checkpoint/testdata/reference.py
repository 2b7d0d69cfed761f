"""Writes reference.json: what transformers makes of the teacher SmolLM2-135M-Instruct (Q4_1 GGUF), for tests to compare.

    python reference.py smollm2-135m.gguf reference.json

Made with Python 3.11.7, transformers 5.23.0, tokenizers 0.23.3, torch 2.15.0 (on the CPU), accelerate 1.15.0 and gguf
0.19.0, and the prose of
Go 1.26.8 as text. All numbers are of the dequantized weights in float32.

reference.json holds
  ids          base64 of 20,480 little-endian uint16 token ids
  nll          mean negative log-likelihood per predicted token, by number of ids, in windows of `window` ids that do not
               overlap; the first id of a window is not predicted
  logits       the first 8 logits of the last position of the first window
  config       the architecture as transformers reads it
  tensors      by name: shape, sum, sum of absolute values, and 8 values at the flat positions (n-1)*i/7
"""

import base64, json, platform, subprocess, sys
from pathlib import Path

import gguf, numpy, torch, tokenizers, transformers

WINDOW, SHORT, LONG = 256, 512, 20480
FILES = ["doc/godebug.md", "doc/go_mem.html", "src/fmt/doc.go", "src/text/template/doc.go", "src/database/sql/doc.txt",
         "src/cmd/compile/README.md", "src/cmd/compile/internal/ssa/README.md", "src/runtime/HACKING.md", "doc/go_spec.html"]


def prose():
    root = Path(subprocess.check_output(["go", "env", "GOROOT"], text=True).strip())
    return "\n".join((root / name).read_text() for name in FILES if (root / name).exists())


@torch.no_grad()
def evaluate(model, ids):
    total, count, first = 0.0, 0, None
    for start in range(0, len(ids), WINDOW):
        window = torch.tensor([ids[start:start + WINDOW]])
        logits = model(window).logits[0]
        if first is None:
            first = logits[-1, :8].tolist()
        losses = torch.nn.functional.cross_entropy(logits[:-1], window[0, 1:], reduction="none").double()
        total, count = total + losses.sum().item(), count + len(losses)
    return total / count, first


def summary(tensor):
    flat = tensor.numpy().reshape(-1)
    at = [(len(flat) - 1) * i // 7 for i in range(8)]
    wide = flat.astype(numpy.float64)
    return {"shape": list(tensor.shape), "sum": wide.sum(), "abs": numpy.abs(wide).sum(), "values": flat[at].astype(float).tolist()}


def main(source, target):
    source = Path(source)
    load = dict(pretrained_model_name_or_path=source.parent, gguf_file=source.name)
    tokenizer = transformers.AutoTokenizer.from_pretrained(**load)
    model = transformers.AutoModelForCausalLM.from_pretrained(**load, dtype=torch.float32).eval()
    c = model.config
    ids = tokenizer(prose(), add_special_tokens=False)["input_ids"][:LONG]
    assert len(ids) == LONG, len(ids)
    short, logits = evaluate(model, ids[:SHORT])
    long, _ = evaluate(model, ids)
    rope = getattr(c, "rope_parameters", None) or {}
    result = {
        "versions": {"python": platform.python_version(), "transformers": transformers.__version__, "torch": torch.__version__,
                     "tokenizers": tokenizers.__version__},
        "window": WINDOW, "nll": {str(SHORT): short, str(LONG): long}, "logits": logits,
        "config": {"layers": c.num_hidden_layers, "embd": c.hidden_size, "heads": c.num_attention_heads,
                   "query_groups": c.num_key_value_heads, "head_size": c.head_dim, "ffn": c.intermediate_size,
                   "vocab": c.vocab_size, "context": c.max_position_embeddings, "norm_eps": c.rms_norm_eps,
                   "rope_theta": rope.get("rope_theta", getattr(c, "rope_theta", None)), "tied": c.tie_word_embeddings},
        "ids": base64.b64encode(numpy.array(ids, dtype="<u2").tobytes()).decode(),
        "tensors": {name: summary(t) for name, t in model.state_dict().items() if not (name == "lm_head.weight" and c.tie_word_embeddings)},
    }
    body = ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in result.items())
    Path(target).write_text("{\n" + body.replace('}, "model.', '},\n  "model.') + "\n}\n")
    return model, tokenizer


if __name__ == "__main__":
    main(*sys.argv[1:3])
