"""Prints the logits that transformers computes with exported students, for a test to compare with its own.

    python check_export.py TOKENS STUDENT...

TOKENS is JSON, sequences of token ids of equal length: [[1, 2, 3], [4, 5, 6]]. A STUDENT is a folder as save_pretrained
writes it, whose own modelling code is trusted if its config.json names some (auto_map), or a GGUF file. Everything is
computed offline, on the CPU, in float32. Prints JSON with an object for each student, in order:
  "class"        the model's class
  "parameters"   how many it has, shared ones once
  "shape"        [sequences, tokens, vocabulary]
  "logits"       base64 of little-endian float32
A weight that is missing, surplus or of another shape is an error.
"""

import base64, json, os, pathlib, sys, tempfile

CACHE = tempfile.TemporaryDirectory()  # trusted code is copied to a cache before it runs: not the user's
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HOME": CACHE.name}

import torch
import transformers


def load(path):
    path = pathlib.Path(path)
    options = {"dtype": torch.float32, "output_loading_info": True}
    if path.suffix == ".gguf":
        model, info = transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, **options)
    else:
        trusted = "auto_map" in json.loads((path / "config.json").read_text())
        model, info = transformers.AutoModelForCausalLM.from_pretrained(path, trust_remote_code=trusted, **options)
    wrong = {kind: sorted(map(str, names)) for kind, names in info.items() if names}
    if wrong:
        sys.exit(f"{path}: {wrong}")
    return model.eval()


@torch.no_grad()
def main(tokens, *students):
    tokens, found = torch.tensor(json.loads(tokens)), []
    for student in students:
        model = load(student)
        logits = model(tokens).logits.float()
        found.append({"class": type(model).__name__, "parameters": sum(p.numel() for p in model.parameters()),
                      "shape": list(logits.shape), "logits": base64.b64encode(logits.numpy().astype("<f4").tobytes()).decode()})
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
