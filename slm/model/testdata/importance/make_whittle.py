"""Makes whittle.json: the importance scores that whittle 0.6.0 gives for the teachers of make.py.

    PYTHONPATH=<whittle-0.6.0> python make_whittle.py

needs what ../whittle/make.py needs. The package datasets and a tokenizer are only asked for text, so they are replaced by
the windows of make.py. The two windows are one batch. Where whittle and slm/model depart (whittle/importance/*.py):

- whittle adds the scores of heads, groups and neurons up over the layers, because its sub-networks keep the same ones in
  all layers; slm keeps a list for each layer. The sums are compared.
- "norm" is the L2 norm over the tokens, and is not divided by their number.
- GPT-NeoX's neurons are scored by what enters GELU, as Minitron writes it; slm takes what leaves it: not compared.
- "variance" of a head or neuron is the variance of the variances over the last axis: not compared.
- An embedding dimension is scored by the last norm's output alone; slm takes both norms of all layers, as Minitron does:
  not compared.
- The activation of a query group is the norm of its heads' outputs together; slm takes the mean of its heads' scores: not
  compared where a group has several heads.
- A layer's drop is the perplexity without it; slm's the difference of the losses.
"""

import importlib.util, json, pathlib, sys, types

import torch, transformers  # before there is a module datasets, which it would look into

sys.modules["datasets"] = types.SimpleNamespace(load_from_disk=None, load_dataset=None)
from whittle.importance import block_importance, drop_layer, intermediate_size, num_heads
from whittle.models.gpt import GPT

HERE = pathlib.Path(__file__).parent
TEACHERS = ["neox", "llama-untied-gqa", "qwen3"]


def sibling():
    spec = importlib.util.spec_from_file_location("whittle_make", HERE.parent / "whittle" / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.GPT = lambda config: GPT(config, compute_importance=True)
    return module


@torch.no_grad()
def measure(make, name):
    folder = make.TEACHERS / name
    model, windows = make.whittle_model(folder, make.check_older_keys(folder)), make.logits_of(folder)[0]
    length = windows.shape[1] - 1
    for module in block_importance, drop_layer, intermediate_size, num_heads:
        module.load_from_disk = lambda path: None
        module.get_dataloader = lambda *a: [{"input_ids": windows[:, :-1], "labels": windows[:, 1:].contiguous()}]
        module.tqdm = lambda batches, desc: batches
    flat = lambda scores: [float(scores[str(i)]) for i in range(len(scores))]
    common = dict(model=model, tokenizer=None, dataset_path=None, batch_size=len(windows), num_batches=1)
    out = {"block": flat(block_importance.compute_block_importance(length, **common))}
    for scheme in "mean", "norm":
        out[scheme] = {"heads": flat(num_heads.compute_importance_heads(length, scheme, **common)),
                       "ffn": flat(intermediate_size.compute_importance_intermediate_size(length, scheme, **common))}
    out["perplexities"] = []
    for layer in range(model.config.n_layer):
        model.set_sub_network(sampled_layer_indices=[i for i in range(model.config.n_layer) if i != layer])
        out["perplexities"].append(drop_layer.compute_ppl_block(length, **common))
    return out


def main():
    make = sibling()
    text = json.dumps({"whittle": "0.6.0", "torch": torch.__version__, "teachers": {name: measure(make, name) for name in TEACHERS}})
    (HERE / "whittle.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
