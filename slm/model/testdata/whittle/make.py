"""Makes expected.json: the logits that whittle 0.6.0 gives for sub-networks of the teachers in ../transformers.

    PYTHONPATH=<whittle-0.6.0> python make.py

whittle (PyPI; of the authors of arXiv 2510.07227) needs litgpt 0.5.12 and transformers below 4.54. The versions that
made the file are in it. Before it takes sub-networks, the script checks that transformers 4 gives the logits of
expected.json with config-4x.json for every teacher, and that the whole whittle model gives them, too.

expected.json holds "tokens" (one sequence) and "cases", each with
  teacher   a folder of ../transformers
  whittle   the arguments of GPT.set_sub_network (or, as "select", the one of GPT.select_sub_network)
  subnet    the same sub-network as slm.Subnet writes it
  logits    base64 of little-endian float32, [tokens, vocab]

What whittle 0.6.0 does, read from its sources and confirmed by these logits:

Rotary positions (models/gpt/model.py set_sub_network and rope_cache, litgpt.model.build_rope_cache). A head that keeps
n dimensions, the first or any, turns its first r = ceil(rotary_percentage * n) kept dimensions. Their frequencies are
those of a model whose heads have n: base^(-2i/r) for pair i of r/2, never the teacher's frequencies of the dimensions
that were kept, and whatever they were: position in the sub-network counts, not index in the teacher. Pair i is made of
kept dimensions i and i + r/2, so that "first n" also pairs dimensions that were not pairs in the teacher. Llama 3's and
linear scaling are applied to the new frequencies. The teacher itself uses int() and not ceil() for r: they differ for
partial rotation only where rotary_percentage * n is not whole, and where r is odd litgpt drops a column; neither is
sampled here, and slm refuses such sizes. With head sizes per layer there is a table of angles per kept layer
(cos_list), looked up by the layer's position among the kept ones, as slm does. The table with one head size for all is
the model's (cos). build_kv_cache does not know about a list of head sizes; no cache is used here.

Attention scale (models/gpt/blocks/causal_self_attention.py). 1/sqrt(n) for heads that keep n dimensions. Only where the
architecture sets attention_scores_scalar (Gemma) does sub_attention_scaler take part, as n_embd // n_head of the
sub-network. GPT-NeoX, Llama and Qwen3 do not set it.

Heads. sampled_query_group_indices name groups, sampled_head_indices heads within a group, the same in each: head
group * heads_per_group + i of the teacher. Without the latter the first sub_network_num_heads / query groups heads of
each group are kept. A teacher with a query group for each head names its heads by sampled_query_group_indices;
sampled_head_indices could only be [0] there. Unequal numbers of heads in the groups cannot be expressed.

Norms divide by the kept embedding dimensions (layer_norm and mean of squares over n_embd of the sub-network).

Faults that these cases steer around:
- Norms of queries and keys (Qwen3) take the first n scales, not those of sampled_head_size_indices: Qwen3 has smaller
  heads only as first n here.
- sub_network_num_heads without sub_network_query_groups keeps all query groups of a grouped teacher, and is refused
  unless they divide it. Cases give both.
- sampled_query_group_indices without sub_network_query_groups overwrite a given sub_network_num_heads with all heads of
  the groups, which then disagree with sampled_head_indices. Cases that sample groups do not give the number of heads.
- select_sub_network computes the intermediate size as int(mlp_ratio * embed_dim): the ratios here are exact in binary.
- With sampled_layer_indices compute_parameters counts the first layers instead of the sampled ones: see
  slm/testdata/whittle_parameters.py.
- Index lists must ascend: proj's inputs are found by searchsorted on the sampled rows.
"""

import base64, importlib.metadata, json, pathlib, platform

import numpy, torch, transformers
from litgpt.config import Config
from litgpt.scripts.convert_hf_checkpoint import copy_weights_gpt_neox, copy_weights_hf_llama, copy_weights_qwen_3
from safetensors.torch import load_file
from whittle.models.gpt import GPT

HERE = pathlib.Path(__file__).parent
TEACHERS = HERE.parent / "transformers"
LENGTH = 16


def logits_of(folder):
    expected = json.loads((folder / "expected.json").read_text())
    tokens = torch.tensor(expected["tokens"])
    flat = numpy.frombuffer(base64.b64decode(expected["logits"]), dtype="<f4")
    return tokens, torch.tensor(flat.reshape(*tokens.shape, -1).copy())


def distance(got, want):
    return ((got - want).abs().max() / want.abs().max()).item()


@torch.no_grad()
def check_older_keys(folder):
    """transformers 4, which knows only the older keys, computes the same with config-4x.json."""
    config = transformers.AutoConfig.from_pretrained(folder / "config-4x.json")
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    weights = {}
    for file in sorted(folder.glob("*.safetensors")):
        weights.update(load_file(file))
    missing, surplus = model.load_state_dict(weights, strict=False)
    if config.tie_word_embeddings:
        missing = [name for name in missing if name not in model._tied_weights_keys]
        model.tie_weights()
    assert not missing and not surplus, (folder, missing, surplus)
    tokens, want = logits_of(folder)
    far = distance(model.float().eval()(tokens).logits, want)
    assert far < 1e-5, (folder, far)
    return config


def whittle_model(folder, c):
    """The teacher as whittle's GPT."""
    common = dict(name=folder.name, block_size=c.max_position_embeddings, n_layer=c.num_hidden_layers, n_embd=c.hidden_size,
                  n_head=c.num_attention_heads, padded_vocab_size=c.vocab_size, vocab_size=c.vocab_size,
                  intermediate_size=c.intermediate_size)
    hf, state = load_file(folder / "model.safetensors"), {}
    if c.model_type == "gpt_neox":
        config = Config(**common, norm_class_name="LayerNorm", norm_eps=c.layer_norm_eps, bias=True, lm_head_bias=False,
                        mlp_class_name="GptNeoxMLP", parallel_residual=c.use_parallel_residual,
                        rotary_percentage=c.rotary_pct, rope_base=int(c.rotary_emb_base))
        copy_weights_gpt_neox(config, state, hf)
    else:
        qwen = c.model_type == "qwen3"
        config = Config(**common, n_query_groups=c.num_key_value_heads, head_size=c.head_dim, norm_class_name="RMSNorm",
                        norm_eps=c.rms_norm_eps, bias=False, mlp_class_name="LLaMAMLP", parallel_residual=False,
                        rotary_percentage=1.0, rope_base=int(c.rope_theta), norm_qk=qwen,
                        rope_adjustments=adjustments(c.rope_scaling))
        (copy_weights_qwen_3 if qwen else copy_weights_hf_llama)(config, {}, state, hf)
    model = GPT(config).eval()
    model.load_state_dict(state)
    return model


def adjustments(scaling):
    if scaling is None:
        return None
    names = {"original_max_position_embeddings": "original_max_seq_len"}
    return {names.get(k, k): v for k, v in scaling.items() if k != "rope_type"}


def ranges(indices):
    """[0, 1, 2, 5] as "0-2,5"."""
    out = []
    for i in indices:
        if out and out[-1][1] == i - 1:
            out[-1][1] = i
        else:
            out.append([i, i])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in out)


def subnet_of(config, a):
    """slm.Subnet's JSON of the sub-network that set_sub_network(**a) makes of a teacher."""
    per_group = config.n_head // config.n_query_groups
    layers = a.get("sampled_layer_indices") or list(range(a.get("sub_network_n_layers", config.n_layer)))

    def chosen(size, sampled, whole, i):
        """The indices that layer i keeps of one dimension; sizes and samples are for all layers, or one for each."""
        sampled = a.get(sampled)
        if sampled is not None:
            return sampled[i] if isinstance(sampled[0], list) else sampled
        n = a.get(size, whole)
        return list(range(n[i] if isinstance(n, list) else n))

    subnet = {"embd": ranges(chosen("sub_network_n_embd", "sampled_embd_indices", config.n_embd, None)), "layers": []}
    for i, layer in enumerate(layers):
        grouped = per_group > 1
        groups = chosen("sub_network_query_groups" if grouped else "sub_network_num_heads", "sampled_query_group_indices",
                        config.n_query_groups, i)
        heads = a.get("sub_network_num_heads")
        heads = heads[i] if isinstance(heads, list) else heads
        within = list(range(heads // len(groups) if heads else per_group))
        if (sampled := a.get("sampled_head_indices")) is not None:
            within = sampled[i] if isinstance(sampled[0], list) else sampled
        subnet["layers"].append({
            "layer": layer, "query_groups": ranges(groups), "heads": ranges([g * per_group + h for g in groups for h in within]),
            "head_size": ranges(chosen("sub_network_head_size", "sampled_head_size_indices", config.head_size, i)),
            "ffn": ranges(chosen("sub_network_intermediate_size", "sampled_intermediate_indices", config.intermediate_size, i))})
    return subnet


def sample(of, n, seed):
    g = torch.Generator().manual_seed(seed)
    return sorted(torch.randperm(of, generator=g)[:n].tolist())


CASES = {
    # 48 wide, 3 layers, 3 heads of 16 of which 4 turn, FFN 48
    "neox": [
        dict(select=dict(embed_dim=32, mlp_ratio=1.25, num_heads=2, depth=2)),
        dict(sub_network_n_embd=40, sub_network_n_layers=2, sub_network_num_heads=[1, 3], sub_network_intermediate_size=[31, 17]),
        dict(sub_network_n_embd=33, sub_network_num_heads=2, sub_network_query_groups=2, sub_network_head_size=8,
             sub_network_intermediate_size=20),
        dict(sub_network_n_layers=3, sub_network_head_size=[8, 16, 8]),
        dict(sampled_embd_indices=sample(48, 30, 1), sampled_layer_indices=[0, 2], sampled_query_group_indices=[0, 2],
             sampled_intermediate_indices=sample(48, 21, 2)),
        dict(sampled_head_size_indices=sample(16, 8, 3)),
        dict(sampled_embd_indices=sample(48, 35, 4), sampled_layer_indices=[1, 2],
             sampled_query_group_indices=[[1], [0, 2]], sampled_intermediate_indices=[sample(48, 9, 5), sample(48, 33, 6)],
             sampled_head_size_indices=[sample(16, 8, 7), sample(16, 16, 8)]),
        dict(sampled_layer_indices=[2]),
    ],
    # 32 wide, 3 layers, 4 heads of 8 in 2 groups, FFN 48
    "llama-tied-gqa": [
        dict(select=dict(embed_dim=24, mlp_ratio=1.5, num_heads=2, depth=2, n_query_groups=1, head_size=6)),
        dict(sub_network_n_embd=20, sub_network_num_heads=2, sub_network_query_groups=2, sub_network_n_layers=2),
        dict(sub_network_n_layers=3, sub_network_num_heads=[2, 4, 1], sub_network_query_groups=[1, 2, 1],
             sub_network_intermediate_size=[48, 13, 29], sub_network_head_size=[8, 4, 2]),
        dict(sampled_query_group_indices=[1], sampled_head_indices=[1]),
        dict(sampled_embd_indices=sample(32, 21, 11), sampled_head_indices=[1], sampled_layer_indices=[0, 2],
             sampled_intermediate_indices=sample(48, 30, 12), sampled_head_size_indices=sample(8, 4, 13)),
    ],
    # 24 wide, 4 layers, 6 heads of 8 in 3 groups, FFN 40
    "llama-untied-gqa": [
        dict(select=dict(embed_dim=16, mlp_ratio=2.0, num_heads=4, depth=3, n_query_groups=2)),
        dict(sub_network_n_embd=19, sub_network_n_layers=3, sub_network_num_heads=[2, 6, 2], sub_network_query_groups=[2, 3, 1],
             sub_network_intermediate_size=[40, 7, 22]),
        dict(sub_network_n_embd=24, sub_network_num_heads=3, sub_network_query_groups=3, sub_network_head_size=4),
        dict(sampled_query_group_indices=[0, 2], sampled_head_indices=[1], sampled_layer_indices=[1, 3]),
        dict(sampled_query_group_indices=[1, 2], sampled_head_size_indices=sample(8, 6, 21),
             sampled_intermediate_indices=sample(40, 23, 22), sampled_embd_indices=sample(24, 17, 23)),
        dict(sampled_query_group_indices=[2], sampled_intermediate_indices=sample(40, 39, 24)),
        dict(sampled_layer_indices=[0, 1, 3], sampled_embd_indices=sample(24, 20, 25),
             sampled_query_group_indices=[[0, 1], [2], [0, 1, 2]], sampled_head_indices=[[0, 1], [1], [0]],
             sampled_head_size_indices=[sample(8, 4, 26), sample(8, 8, 27), sample(8, 2, 28)],
             sampled_intermediate_indices=[sample(40, 12, 29), sample(40, 40, 30), sample(40, 25, 31)]),
    ],
    # 2 layers, 2 heads of 16 in 1 group, of whose pairs the frequencies are scaled
    "llama3-rope": [
        dict(sub_network_head_size=10, sub_network_num_heads=1, sub_network_query_groups=1),
        dict(sampled_head_size_indices=sample(16, 8, 41), sampled_head_indices=[1]),
    ],
    "llama-linear-rope": [
        dict(sub_network_head_size=6),
        dict(sampled_head_size_indices=[[1, 2, 4, 7], [0, 1, 3, 4, 6, 7]]),
    ],
    # 24 wide, 3 layers, 4 heads of 12 in 2 groups, FFN 48; smaller heads only as first n, see above
    "qwen3": [
        dict(select=dict(embed_dim=16, mlp_ratio=2.5, num_heads=2, depth=2, n_query_groups=1, head_size=8)),
        dict(sub_network_n_embd=20, sub_network_n_layers=2, sub_network_num_heads=[2, 2], sub_network_query_groups=[2, 1],
             sub_network_intermediate_size=[33, 48], sub_network_head_size=[12, 6]),
        dict(sampled_query_group_indices=[1], sampled_head_indices=[1], sampled_layer_indices=[0, 2]),
        dict(sampled_embd_indices=sample(24, 15, 51), sampled_head_indices=[1], sampled_intermediate_indices=sample(48, 26, 52),
             sub_network_head_size=10),
        dict(sampled_layer_indices=[1, 2], sampled_query_group_indices=[[0, 1], [1]], sampled_head_indices=[[0], [0, 1]],
             sampled_intermediate_indices=[sample(48, 11, 53), sample(48, 40, 54)]),
    ],
}


@torch.no_grad()
def main():
    cases = []
    for folder in sorted(f for f in TEACHERS.iterdir() if f.is_dir()):
        hf = check_older_keys(folder)
        if folder.name not in CASES:
            continue
        model = whittle_model(folder, hf)
        tokens, want = logits_of(folder)
        whole = distance(model(tokens), want)
        print(f"{folder.name}: the whole whittle model differs from transformers by {whole:.1e}")
        assert whole < 1e-5
        for arguments in CASES[folder.name]:
            if "select" in arguments:
                a = arguments["select"]
                model.select_sub_network(a)
                ours = dict(sub_network_n_embd=a["embed_dim"], sub_network_n_layers=a["depth"], sub_network_num_heads=a["num_heads"],
                            sub_network_intermediate_size=int(a["mlp_ratio"] * a["embed_dim"]))
                ours |= {f"sub_network_{k.removeprefix('n_')}": a[k] for k in ("head_size", "n_query_groups") if k in a}
            else:
                model.set_sub_network(**arguments)
                ours = arguments
            logits = model(tokens[:1, :LENGTH])[0]
            assert logits.dtype == torch.float32 and distance(logits, want[0, :LENGTH]) > 0.05  # a real sub-network
            cases.append({"teacher": folder.name, "whittle": arguments, "subnet": subnet_of(model.config, ours),
                          "logits": base64.b64encode(logits.numpy().astype("<f4").tobytes()).decode()})
    version = importlib.metadata.version
    head = {"versions": {"python": platform.python_version(), "torch": torch.__version__, "whittle": "0.6.0",
                         "litgpt": version("litgpt"), "transformers": transformers.__version__},
            "tokens": tokens[0, :LENGTH].tolist()}
    lines = ",\n".join("  " + json.dumps(c) for c in cases)
    (HERE / "expected.json").write_text(json.dumps(head)[:-1] + ',\n "cases": [\n' + lines + "\n ]}\n")


if __name__ == "__main__":
    main()
