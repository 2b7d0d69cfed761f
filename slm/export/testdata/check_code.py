"""Holds students with modelling code of their own against what a model of transformers should do.

    python check_code.py TOKENS NEW STUDENT...

TOKENS is JSON, prompts of token ids, which may differ in length; NEW is how many tokens to continue each with. Everything
is computed offline, on the CPU, in float32. Prints JSON with an object for each student, in order:
  "continued"    the greedy continuations of all prompts in one batch, padded on the left
  "loss"         that of the first prompt as its own labels
  "padded"       largest difference between logits of a prompt alone and of the same in the padded batch
  "uncached"     largest difference between logits with and without keys and values of earlier positions
  "saved"        largest difference between logits before and after save_pretrained and from_pretrained
  "states"       whether hidden states are those that the head reads, with one from each layer
"""

import json, os, sys, tempfile

CACHE = tempfile.TemporaryDirectory()  # trusted code is copied to a cache before it runs: not the user's
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HOME": CACHE.name}

import torch
import transformers


def load(path):
    return transformers.AutoModelForCausalLM.from_pretrained(path, trust_remote_code=True, torch_dtype=torch.float32).eval()


def difference(a, b):
    return (a - b).abs().max().item()


def states_are_whole(model, tokens):
    """The head makes the logits of the last hidden state, of the embedding and one from each layer."""
    out = model(tokens, output_hidden_states=True)
    head = model.get_output_embeddings() or model.get_input_embeddings()
    agree = difference(out.hidden_states[-1] @ head.weight.T, out.logits) < 1e-4
    return agree and len(out.hidden_states) == len(model.config.layers) + 1


@torch.no_grad()
def check(path, prompts, new):
    model = load(path)
    longest = max(map(len, prompts))
    padded = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    continued = model.generate(padded, attention_mask=mask, max_new_tokens=new, min_new_tokens=new, do_sample=False, pad_token_id=0)
    together = model(padded, attention_mask=mask).logits
    alone = [model(torch.tensor([p])).logits[0] for p in prompts]
    first = torch.tensor(prompts[:1])
    part = model(first[:, :2])
    rest = model(first[:, 2:], past_key_values=part.past_key_values)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        saved = load(folder)(first).logits[0]
    return {
        "continued": continued[:, longest:].tolist(),
        "loss": model(first, labels=first).loss.item(),
        "padded": max(difference(t[-len(a):], a) for t, a in zip(together, alone)),
        "uncached": difference(torch.cat([part.logits, rest.logits], 1)[0], alone[0]),
        "saved": difference(saved, alone[0]),
        "states": states_are_whole(model, first),
    }


torch.set_num_threads(1)  # of models this small, more only wait for each other
prompts, new, *students = sys.argv[1:]
print(json.dumps([check(path, json.loads(prompts), int(new)) for path in students]))
