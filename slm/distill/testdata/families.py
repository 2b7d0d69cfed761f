"""Makes families.json: steps of pretraining the tiny teachers of ../../model/testdata/transformers in PyTorch.

Each is trained whole, from its own weights, with cross-entropy alone: the gradient of every part of every family takes
part. Batches, schedule and optimizer are those of families_test.go. Run it in an environment with the versions that it
records:

    python families.py
"""
import json
import math
import pathlib

import torch
import transformers
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
TEACHERS = HERE / "../../model/testdata/transformers"
CASES = ["neox", "neox-sequential", "qwen3", "llama3-rope"]
BATCH, SEQ, STEPS, VOCAB = 2, 16, 12, 64


def rate(step, peak=1e-2, warmup=4, horizon=12, final=0.1):
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = min(1, (step - warmup) / (horizon - warmup))
    return peak * (final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2)


def train(model, windows):
    decayed = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}],
                                  lr=1e-2, betas=(0.9, 0.95), eps=1e-8)
    points = []
    for step in range(STEPS):
        batch = windows[step * BATCH:(step + 1) * BATCH]
        logits = model(batch[:, :-1]).logits.reshape(-1, VOCAB)
        loss = torch.nn.functional.cross_entropy(logits, batch[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        optimizer.step()
        points.append({"loss": loss.item(), "grad_norm": norm.item()})
    return points


def main():
    torch.manual_seed(1)
    windows = torch.tensor([[(i * i * 31 + 7 * i + 11 * w) % VOCAB for i in range(SEQ + 1)] for w in range(BATCH * STEPS)])
    cases = {}
    for case in CASES:
        model = AutoModelForCausalLM.from_pretrained(TEACHERS / case, dtype=torch.float32, attn_implementation="eager")
        cases[case] = train(model, windows)
    out = {"versions": {"torch": torch.__version__, "transformers": transformers.__version__},
           "windows": windows.flatten().tolist(), "cases": cases}
    (HERE / "families.json").write_text(json.dumps(out) + "\n")


main()
