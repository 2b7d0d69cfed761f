"""Records whittle's distillation losses, and the literature's, on small logits: losses.json.

    python losses.py PATH_OF_whittle_sources > losses.json

It needs torch alone: whittle/loss/losses.py and kd_loss.py are read from an unpacked whittle 0.6.0 (PyPI), which is pip
installable only with litgpt. "whittle" are its values; "torch" are the literature's, computed here, with the gradient of each
with respect to the student's logits.
"""

import importlib.util
import json
import sys
import types

import torch
import torch.nn.functional as F

N, V = 3, 12
folder = sys.argv[1]


def module(name, path):
    spec = importlib.util.spec_from_file_location(name, f"{folder}/{path}")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


for package in ("whittle", "whittle.loss"):
    sys.modules[package] = types.ModuleType(package)
module("whittle.loss.losses", "whittle/loss/losses.py")
DistillLoss = module("whittle.loss.kd_loss", "whittle/loss/kd_loss.py").DistillLoss

torch.manual_seed(7)
student = (torch.randn(N, V) * 2).requires_grad_()
teacher = torch.randn(N, V) * 2
targets = torch.randint(V, (N,))


def kl(a, b):
    return (a.exp() * (a - b)).sum(-1).mean()


def top(q, p, k):
    p, ids = p.topk(k, -1)
    q = q.gather(-1, ids)
    tail = lambda x: torch.cat([x, torch.log1p(-x.exp().sum(-1, keepdim=True))], -1)
    return tail(q), tail(p)


def literature(kind, t, k=0):
    q, p = F.log_softmax(student / t, -1), F.log_softmax(teacher / t, -1)
    if k:
        q, p = top(q, p, k)
    m = torch.log(0.5 * (p.exp() + q.exp()))
    return {
        "forward-kl": lambda: t * t * kl(p, q),
        "reverse-kl": lambda: t * t * kl(q, p),
        "symmetric-kl": lambda: t * t * 0.5 * (kl(p, q) + kl(q, p)),
        "jensen-shannon": lambda: t * t * 0.5 * (kl(p, m) + kl(q, m)),
        "soft-cross-entropy": lambda: -t * t * (p.exp() * q).sum(-1).mean(),
        "cosine": lambda: 1 - F.cosine_similarity(p.exp(), q.exp(), dim=-1).mean(),
    }[kind]()


def gradient(value):
    (g,) = torch.autograd.grad(value, student, retain_graph=True)
    return [float(f"{x:.7g}") for x in g.flatten().tolist()]


out = {"versions": {"torch": torch.__version__, "whittle": "0.6.0"}, "n": N, "v": V,
       "student": student.flatten().tolist(), "teacher": teacher.flatten().tolist(), "targets": targets.tolist(),
       "whittle": [], "torch": []}
for name in ("forward_kld", "reverse_kld", "symmetric_kld", "js_distance", "simple_cross_entropy", "cosine_similarity", "l1_loss", "l2_loss",
             "mmd_loss"):
    for t in (1.0, 2.0):
        for scheme in ("other", "default"):
            value = DistillLoss(0.3, 0.7, t, name, scheme)(student, targets, teacher)
            out["whittle"].append({"loss": name, "temperature": t, "scheme": scheme, "value": value.item(), "gradient": gradient(value)})
for kind in ("forward-kl", "reverse-kl", "symmetric-kl", "jensen-shannon", "soft-cross-entropy", "cosine"):
    for t in (1.0, 2.0):
        for k in (0, 5):
            value = literature(kind, t, k)
            out["torch"].append({"loss": kind, "temperature": t, "top_k": k, "value": value.item(), "gradient": gradient(value)})
json.dump(out, sys.stdout)
