"""Makes expected.json: how important the units of teachers in ../transformers are, measured on transformers' modules.

    python make.py

Made with the versions that expected.json records. Activations are taken by forward hooks, and aggregated in float64 over
all tokens of two windows of 24, of which the first 23 are read and the last 23 predicted:
  heads     per token, the L2 norm of a head's part of the output projection's input
  ffn       what enters the down projection
  embd      the outputs of both norms of all layers
each as mean |a|, norm sqrt(mean a^2) and variance of the whole population. "block" is 1 - mean cos(input, output) of each
layer, "losses" the mean cross-entropy of the whole model, then without each layer, and "norms" the L2 norms of weights.
"""

import json, pathlib, platform

import torch, transformers

HERE = pathlib.Path(__file__).parent
TEACHERS = ["neox", "llama-untied-gqa", "qwen3"]

AGGREGATES = {
    "mean": lambda a: a.abs().mean(0),
    "norm": lambda a: a.square().mean(0).sqrt(),
    "variance": lambda a: a.var(0, correction=0),
}


class Parts:
    """The modules of a model, under names that do not depend on its family."""

    def __init__(self, model):
        self.neox = model.config.model_type == "gpt_neox"
        self.body = model.gpt_neox if self.neox else model.model
        self.layers = self.body.layers

    def output(self, layer):
        return layer.attention.dense if self.neox else layer.self_attn.o_proj

    def down(self, layer):
        return layer.mlp.dense_4h_to_h if self.neox else layer.mlp.down_proj

    def norms(self, layer):
        return [layer.input_layernorm, layer.post_attention_layernorm]


def activations(model, tokens):
    parts, seen, hooks = Parts(model), {}, []
    keep = lambda key, x: seen.setdefault(key, []).append(x.detach().double().reshape(-1, x.shape[-1]))
    entering = lambda key: lambda module, inputs: keep(key, inputs[0])
    leaving = lambda key: lambda module, inputs, output: keep(key, output[0] if isinstance(output, tuple) else output)
    for i, layer in enumerate(parts.layers):
        hooks += [parts.output(layer).register_forward_pre_hook(entering(("heads", i))),
                  parts.down(layer).register_forward_pre_hook(entering(("ffn", i))),
                  layer.register_forward_pre_hook(entering(("in", i))), layer.register_forward_hook(leaving(("out", i)))]
        hooks += [n.register_forward_hook(leaving("embd")) for n in parts.norms(layer)]
    model(tokens)
    for h in hooks:
        h.remove()
    return {key: torch.cat(values) for key, values in seen.items()}


def loss(model, windows):
    logits = model(windows[:, :-1], use_cache=False).logits.double()
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten()).item()


def losses(model, windows):
    parts = Parts(model)
    whole, out = parts.layers, [loss(model, windows)]
    for i in range(len(whole)):
        parts.body.layers = torch.nn.ModuleList(l for j, l in enumerate(whole) if j != i)
        out.append(loss(model, windows))
    parts.body.layers = whole
    return out


def weight_norms(model):
    """By what a module's rows and columns mean, not by the axes of slm's table."""
    parts, c = Parts(model), model.config
    heads = c.num_attention_heads
    groups = getattr(c, "num_key_value_heads", heads)
    rows = lambda w, n: w.double().square().reshape(n, -1).sum(1)
    columns = lambda w, n: rows(w.T.contiguous(), n)
    out = {"layers": [], "query_groups": [], "heads": [], "ffn": []}
    embd = sum(rows(p.T.contiguous() if p.dim() == 2 else p, c.hidden_size)
               for name, p in model.named_parameters() if ".layers." not in name)
    for layer in parts.layers:
        o, down = parts.output(layer), parts.down(layer)
        if parts.neox:
            qkv, up = layer.attention.query_key_value, layer.mlp.dense_h_to_4h
            head = rows(qkv.weight, heads) + rows(qkv.bias, heads) + columns(o.weight, heads)
            group = head
            neuron = rows(up.weight, c.intermediate_size) + up.bias.double().square() + down.weight.double().square().sum(0)
            reading = [qkv.weight, up.weight]
            writing = [o.weight, down.weight]
            vectors = [o.bias, down.bias] + [p for n in parts.norms(layer) for p in n.parameters()]
        else:
            a, m = layer.self_attn, layer.mlp
            head = rows(a.q_proj.weight, heads) + columns(o.weight, heads)
            group = rows(a.k_proj.weight, groups) + rows(a.v_proj.weight, groups) + head.reshape(groups, -1).sum(1)
            neuron = sum(rows(w, c.intermediate_size) for w in [m.gate_proj.weight, m.up_proj.weight]) + columns(down.weight, c.intermediate_size)
            reading = [a.q_proj.weight, a.k_proj.weight, a.v_proj.weight, m.gate_proj.weight, m.up_proj.weight]
            writing = [o.weight, down.weight]
            vectors = [p for n in parts.norms(layer) for p in n.parameters()]
        embd = embd + sum(w.double().square().sum(0) for w in reading) + sum(w.double().square().sum(1) for w in writing)
        embd = embd + sum(v.double().square() for v in vectors)
        out["layers"].append(sum(p.double().square().sum() for p in layer.parameters()).sqrt().item())
        for key, squares in ("query_groups", group), ("heads", head), ("ffn", neuron):
            out[key].append(squares.sqrt())
    return rounded({**out, "embd": embd.sqrt()})


def rounded(x):
    """Eight digits are more than float32 has."""
    if isinstance(x, torch.Tensor):
        x = x.tolist()
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    if isinstance(x, list):
        return [rounded(v) for v in x]
    return float(f"{x:.8g}")


def measure(name):
    folder = HERE.parent / "transformers" / name
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    windows = torch.tensor(json.loads((folder / "expected.json").read_text())["tokens"])
    seen, n = activations(model, windows[:, :-1]), len(Parts(model).layers)
    heads = model.config.num_attention_heads
    head = [seen["heads", i].unflatten(1, (heads, -1)).norm(dim=-1) for i in range(n)]
    out = {"block": [1 - torch.cosine_similarity(seen["in", i], seen["out", i], dim=-1).mean().item() for i in range(n)],
           "losses": losses(model, windows), "norms": weight_norms(model), "activations": {}}
    for key, f in AGGREGATES.items():
        out["activations"][key] = {"heads": [f(h) for h in head], "ffn": [f(seen["ffn", i]) for i in range(n)], "embd": f(seen["embd"])}
    return rounded(out)


def main():
    with torch.no_grad():
        teachers = {name: measure(name) for name in TEACHERS}
    versions = {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__}
    (HERE / "expected.json").write_text(json.dumps({"versions": versions, "teachers": teachers}) + "\n")
    for name, t in teachers.items():
        print(name, "block", [f"{x:.3f}" for x in t["block"]], "losses", [f"{x:.3f}" for x in t["losses"]])


if __name__ == "__main__":
    main()
