"""Makes whittle_parameters.json: the parameters that whittle 0.6.0 counts in 1,000 random sub-networks.

    PYTHONPATH=<whittle-0.6.0> python whittle_parameters.py

For its environment see ../model/testdata/whittle/make.py. The file holds the versions, the architectures in the fields of
slm.Config, and "subnets", each an array
    [architecture, embd, layers, heads, query groups, head size, ffn, parameters]
of which heads, query groups, head size and ffn are a number for all layers or a list with one for each, and all indices
are the first n. Layers are the first n, too.

Each count is that of whittle.metrics.parameters.compute_parameters, and the script checks it against the sum of numel()
over the tensors with which the sub-network computes (extract_weights of its modules). Those differ, so that slm agrees
with the tensors and whittle does not, where
- a teacher with grouped queries keeps fewer query groups: params_attention_layer divides the kept heads by the teacher's
  number of groups (config.n_query_groups), not by the kept number, so 4 heads in 2 of 4 groups are counted as 2. Grouped
  teachers keep all query groups here.
- sampled_layer_indices are given: compute_parameters counts the first n layers of the teacher, in full size where they
  were not sampled themselves. Depth is by first n here.
- queries and keys are normed by head (norm_qk_type "default", as in Qwen3): the norms are counted as if they had a scale
  for each head. Qwen3 is not among the architectures.
- the head is tied to the embedding: both are counted. Only untied architectures are here.
"""

import importlib.metadata, json, pathlib, platform, random

import torch
from litgpt.config import Config
from whittle.metrics.parameters import compute_parameters
from whittle.models.gpt import GPT

HERE = pathlib.Path(__file__).parent
COUNT = 1000

ARCHITECTURES = [
    {"name": "small neox", "family": "gpt_neox", "layers": 6, "embd": 96, "heads": 6, "query_groups": 6, "head_size": 16,
     "ffn": 384, "vocab": 512, "context": 128, "norm_eps": 1e-5, "rope_theta": 10000, "rotary_fraction": 0.25,
     "parallel_residual": True, "tied": False},
    {"name": "small grouped llama", "family": "llama", "layers": 8, "embd": 96, "heads": 12, "query_groups": 4, "head_size": 16,
     "ffn": 256, "vocab": 512, "context": 128, "norm_eps": 1e-5, "rope_theta": 10000, "tied": False},
    {"name": "pythia-410m", "family": "gpt_neox", "layers": 24, "embd": 1024, "heads": 16, "query_groups": 16, "head_size": 64,
     "ffn": 4096, "vocab": 50304, "context": 2048, "norm_eps": 1e-5, "rope_theta": 10000, "rotary_fraction": 0.25,
     "parallel_residual": True, "tied": False},
]


def whittle_model(a):
    neox = a["family"] == "gpt_neox"
    config = Config(
        name=a["name"], block_size=a["context"], n_layer=a["layers"], n_embd=a["embd"], n_head=a["heads"],
        n_query_groups=a["query_groups"], head_size=a["head_size"], intermediate_size=a["ffn"], vocab_size=a["vocab"],
        padded_vocab_size=a["vocab"], norm_class_name="LayerNorm" if neox else "RMSNorm", bias=neox, lm_head_bias=False,
        mlp_class_name="GptNeoxMLP" if neox else "LLaMAMLP", parallel_residual=neox, rotary_percentage=0.25 if neox else 1.0)
    with torch.device("meta"):  # weights without memory: only their shapes are counted
        model = GPT(config)
    model.cos, model.sin = model.rope_cache(config.block_size, config.rope_n_elem, device=torch.device("cpu"))
    return model


def numel(model):
    """Values in the tensors with which the current sub-network computes."""
    a = model.transformer
    modules = [a.wte, a.ln_f, model.lm_head]
    for block in a.h[:model.sub_network_n_layers]:
        mlp = [block.mlp.fc, block.mlp.proj] if hasattr(block.mlp, "fc") else [block.mlp.fc_1, block.mlp.fc_2, block.mlp.proj]
        modules += [block.norm_1, block.norm_2, block.attn.qkv, block.attn.proj, *mlp]
    return sum(t.numel() for m in modules for t in m.extract_weights() if t is not None)


def draw(a, rng):
    """Sizes of a random sub-network, uniform or with lists by layer, as (embd, layers, heads, groups, head size, ffn)."""
    layers = rng.randint(1, a["layers"])
    grouped = a["query_groups"] != a["heads"]
    per_group = a["heads"] // a["query_groups"]
    sizes = [s for s in range(2, a["head_size"] + 1, 2) if a["family"] != "gpt_neox" or s % 8 == 0]  # an even number turns

    def one():
        heads = a["query_groups"] * rng.randint(1, per_group) if grouped else rng.randint(1, a["heads"])
        return heads, a["query_groups"] if grouped else heads, rng.choice(sizes), rng.randint(1, a["ffn"])

    if rng.random() < 0.5:
        heads, groups, size, ffn = one()
    else:
        heads, groups, size, ffn = map(list, zip(*(one() for _ in range(layers))))
        if rng.random() < 0.5:
            size = rng.choice(sizes)
        if grouped:
            groups = a["query_groups"]
    return rng.randint(1, a["embd"]), layers, heads, groups, size, ffn


def main():
    rng, subnets = random.Random(1), []
    models = [whittle_model(a) for a in ARCHITECTURES]
    for n in range(COUNT):
        # The largest, whose lists by layer are long and whose counting is slow, gets a fifth of the draws.
        which = 2 if n % 5 == 4 else n % 2
        embd, layers, heads, groups, size, ffn = draw(ARCHITECTURES[which], rng)
        model = models[which]
        model.set_sub_network(sub_network_n_embd=embd, sub_network_n_layers=layers, sub_network_num_heads=heads,
                              sub_network_query_groups=groups, sub_network_head_size=size, sub_network_intermediate_size=ffn)
        count = int(compute_parameters(model))
        assert count == numel(model), (ARCHITECTURES[which]["name"], embd, layers, heads, groups, size, ffn, count, numel(model))
        subnets.append([which, embd, layers, heads, groups, size, ffn, count])
    head = {"versions": {"python": platform.python_version(), "torch": torch.__version__, "whittle": "0.6.0",
                         "litgpt": importlib.metadata.version("litgpt")}, "architectures": ARCHITECTURES}
    lines = ",\n".join(json.dumps(s, separators=(",", ":")) for s in subnets)
    (HERE / "whittle_parameters.json").write_text(json.dumps(head)[:-1] + ',\n"subnets": [\n' + lines + "\n]}\n")


if __name__ == "__main__":
    main()
