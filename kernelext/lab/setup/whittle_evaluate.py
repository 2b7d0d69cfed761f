"""Evaluates sub-networks with whittle as its own search does, for `lab bench search speed` to compare speeds.

    python whittle_evaluate.py MODEL SEQ BATCH COUNT

whittle (PyPI, of the authors of arXiv 2510.07227) is the peer. MODEL is a GGUF of a Llama or a Hugging Face folder of a
GPT-NeoX. Loads it in float32, prints a line of JSON about it, and then evaluates, for each line on the standard input, the
sub-network that the line holds as slm.Subnet's JSON: GPT.set_sub_network, a forward pass of COUNT windows of SEQ tokens, of
which all but a window's first are predicted, BATCH windows at a time, and their mean cross-entropy. That is what the
objective of whittle/search_sub_networks.py does (select_sub_network, litgpt's validate), less its data loader, and with
inference_mode, which is a little faster than its no_grad. In float32, on a GPU if there is one and otherwise on all cores.

Each answer has the seconds of that, the loss, and the parameters with the seconds that counting them takes:
select_sub_network, compute_parameters, reset_super_network (whittle.sampling.param_bins.ParamsEstimator).
"""

import json, os, pathlib, sys, time

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}

import torch
import transformers
from litgpt.config import Config
from litgpt.scripts.convert_hf_checkpoint import copy_weights_gpt_neox, copy_weights_hf_llama
from litgpt.utils import chunked_cross_entropy
from whittle.metrics.parameters import compute_parameters
from whittle.models.gpt import GPT

COUNTS = 20  # of a sub-network's parameters, of which the fastest is reported


def main(path, seq, batch, count):
    path, seq, batch, count = pathlib.Path(path), int(seq), int(batch), int(count)
    torch.set_num_threads(os.cpu_count())
    device = "cuda" if torch.cuda.is_available() else "cpu"
    begin = time.perf_counter()
    model = load(path).to(device).eval()
    model.max_seq_length = seq - 1
    vocab = model.config.vocab_size
    say({"parameters": compute_parameters(model), "vocab": vocab, "seconds": time.perf_counter() - begin,
         "device": torch.cuda.get_device_name() if device == "cuda" else "cpu", "torch": torch.__version__})
    ids = torch.tensor([(i * i * 31 + 7 * i + 3) % vocab for i in range(count * seq)]).view(count, seq).to(device)
    for line in sys.stdin:
        arguments = arguments_of(model.config, json.loads(line))
        seconds, loss = evaluate(model, arguments, ids, batch)
        say({"seconds": seconds, "loss": loss} | count_parameters(model, arguments))


@torch.inference_mode()
def evaluate(model, arguments, ids, batch):
    begin = time.perf_counter()
    model.set_sub_network(**arguments)
    losses = []
    for windows in ids.split(batch):
        # litgpt computes the loss in chunks of 128 tokens, which is faster on a processor than all at once
        losses.append(chunked_cross_entropy(model(windows[:, :-1]), windows[:, 1:]) * len(windows))
    loss = (torch.stack(losses).sum() / len(ids)).item()
    return time.perf_counter() - begin, loss


def count_parameters(model, arguments):
    fastest = float("inf")
    for _ in range(COUNTS):
        begin = time.perf_counter()
        model.set_sub_network(**arguments)
        parameters = compute_parameters(model)
        counted = time.perf_counter() - begin
        model.reset_super_network()
        fastest = min(fastest, counted)
    return {"parameters": int(parameters), "count_seconds": fastest}


def load(path):
    """The teacher as whittle's GPT."""
    files = {"gguf_file": path.name} if path.suffix == ".gguf" else {}
    hf = transformers.AutoModelForCausalLM.from_pretrained(path.parent if files else path, torch_dtype=torch.float32, **files)
    c, weights, state = hf.config, hf.state_dict(), {}
    common = dict(name=path.name, block_size=c.max_position_embeddings, n_layer=c.num_hidden_layers, n_embd=c.hidden_size,
                  n_head=c.num_attention_heads, padded_vocab_size=c.vocab_size, vocab_size=c.vocab_size,
                  intermediate_size=c.intermediate_size,
                  head_size=getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads)
    if c.model_type == "gpt_neox":
        config = Config(**common, norm_class_name="LayerNorm", norm_eps=c.layer_norm_eps, bias=True, lm_head_bias=False,
                        mlp_class_name="GptNeoxMLP", parallel_residual=c.use_parallel_residual,
                        rotary_percentage=c.rotary_pct, rope_base=int(c.rotary_emb_base))
        copy_weights_gpt_neox(config, state, weights)
    else:
        config = Config(**common, n_query_groups=c.num_key_value_heads, norm_class_name="RMSNorm", norm_eps=c.rms_norm_eps,
                        bias=False, mlp_class_name="LLaMAMLP", parallel_residual=False, rotary_percentage=1.0,
                        rope_base=int(c.rope_theta))
        copy_weights_hf_llama(config, {}, state, weights)
    model = GPT(config)
    model.load_state_dict(state)
    return model


def arguments_of(config, subnet):
    """set_sub_network's arguments: sizes where the first indices are kept, which whittle slices, and indices elsewhere."""
    layers = subnet.get("layers") or [{"layer": i} for i in range(config.n_layer)]
    out = {"sub_network_n_layers": len(layers)}
    chosen = [l["layer"] for l in layers]
    if chosen != list(range(len(chosen))):
        out["sampled_layer_indices"] = chosen
    embd = indices(subnet.get("embd"), config.n_embd)
    out["sub_network_n_embd"] = len(embd)
    if not first(embd):
        out["sampled_embd_indices"] = embd
    per_group = config.n_head // config.n_query_groups

    def put(size, sampled, kept):
        out[size] = same([len(k) for k in kept])
        if sampled and not all(map(first, kept)):
            out[sampled] = same(kept)

    heads = [indices(l.get("heads") or (l.get("query_groups") if per_group == 1 else None), config.n_head) for l in layers]
    put("sub_network_intermediate_size", "sampled_intermediate_indices", [indices(l.get("ffn"), config.intermediate_size) for l in layers])
    put("sub_network_head_size", "sampled_head_size_indices", [indices(l.get("head_size"), config.head_size) for l in layers])
    if per_group == 1:
        put("sub_network_num_heads", "sampled_query_group_indices", heads)
        out["sub_network_query_groups"] = out["sub_network_num_heads"]
        return out
    groups = [indices(l.get("query_groups"), config.n_query_groups) for l in layers]
    within = [sorted({h % per_group for h in kept}) for kept in heads]
    out["sub_network_num_heads"] = same([len(kept) for kept in heads])
    put("sub_network_query_groups", "sampled_query_group_indices", groups)
    if not all(map(first, within)):
        out["sampled_head_indices"] = same(within)
    return out


def same(values):
    """One value for all layers, where they have the same."""
    return values[0] if all(v == values[0] for v in values) else values


def first(kept):
    return kept == list(range(len(kept)))


def indices(text, size):
    """"0-2,5" as [0, 1, 2, 5]; nothing is all."""
    if not text:
        return list(range(size))
    out = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        out += range(int(low), int(high or low) + 1)
    return out


def say(line):
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:5])
