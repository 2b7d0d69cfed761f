"""Makes hidden.json: the hidden-state loss of TinyBERT (arXiv 1909.10351, equation 8) in PyTorch.

"small" is the loss of a few numbers, with its gradients; "runs" are steps of training the student of reference.py with it, as
in hidden_test.go. The teacher is reference.py's teacher.safetensors. Run it in an environment with the versions that it records:

    python hidden.py
"""
import json

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file

from reference import BATCH, HERE, SEQ, TEMPERATURE, extract, llama, rate

STEPS = 12


def numbers(x):
    return [float(f"{v:.8g}") for v in x.flatten().tolist()]


def small():
    """Two pairs of states of 2 sequences of 3 tokens, 4 wide, with a teacher that is 6 wide."""
    torch.manual_seed(3)
    student = torch.randn(2, 2, 3, 4, requires_grad=True)
    teacher, w = torch.randn(2, 2, 3, 6), torch.randn(4, 6, requires_grad=True)
    loss = sum(F.mse_loss(s @ w, t) for s, t in zip(student, teacher)) / 2
    loss.backward()
    return {"student": numbers(student), "teacher": numbers(teacher), "projection": numbers(w), "loss": loss.item(),
            "student_gradient": numbers(student.grad), "projection_gradient": numbers(w.grad)}


def forward(model, inputs):
    """Logits, and what leaves each layer: the last before the last norm, unlike transformers' hidden_states."""
    states = []
    hooks = [layer.register_forward_hook(lambda _, __, out: states.append(out[0] if isinstance(out, tuple) else out))
             for layer in model.model.layers]
    logits = model(inputs).logits.reshape(-1, 64)
    for hook in hooks:
        hook.remove()
    return logits, states


def train(teacher, windows, ce_weight, kl_weight, hidden_weight, pairs):
    """pairs are numbers of layers, of the student and of the teacher."""
    student = extract(teacher)
    w = torch.nn.Parameter(torch.eye(16, 32))
    parameters = [*student.parameters(), w]
    optimizer = torch.optim.AdamW([{"params": [p for p in parameters if p.dim() > 1], "weight_decay": 0.1},
                                   {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0}],
                                  lr=1e-2, betas=(0.9, 0.95), eps=1e-8)
    points = []
    for step in range(STEPS):
        batch = windows[step * BATCH:(step + 1) * BATCH]
        inputs, targets = batch[:, :-1], batch[:, 1:].reshape(-1)
        with torch.no_grad():
            z, theirs = forward(teacher, inputs)
            p = torch.log_softmax(z / TEMPERATURE, -1)
        logits, ours = forward(student, inputs)
        ce = F.cross_entropy(logits, targets)
        kl = F.kl_div(torch.log_softmax(logits / TEMPERATURE, -1), p, log_target=True, reduction="batchmean") * TEMPERATURE ** 2
        hidden = sum(F.mse_loss(ours[s - 1] @ w, theirs[t - 1]) for s, t in pairs) / len(pairs)
        loss = ce_weight * ce + kl_weight * kl + hidden_weight * hidden
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        optimizer.step()
        points.append({"loss": loss.item(), "ce": ce.item(), "grad_norm": norm.item()})
    return points


def main():
    teacher = llama(hidden_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
                    intermediate_size=48)
    weights = load_file(HERE / "teacher.safetensors")
    teacher.load_state_dict({**weights, "lm_head.weight": weights["model.embed_tokens.weight"]})
    windows = torch.tensor(json.load(open(HERE / "reference.json"))["windows"]).reshape(-1, SEQ + 1)
    runs = {"last": train(teacher, windows, 0.3, 0.7, 1, [(2, 3)]),
            "pairs": train(teacher, windows, 1, 0, 5, [(1, 1), (2, 3)])}
    out = {"versions": {"torch": torch.__version__, "transformers": transformers.__version__}, "small": small(), "runs": runs}
    (HERE / "hidden.json").write_text(json.dumps(out) + "\n")


main()
