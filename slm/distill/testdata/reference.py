"""Makes reference.json and teacher.safetensors: 100 steps of distilling a small Llama in PyTorch.

The same teacher, sub-network, batches, loss and optimizer as in reference_test.go, written with transformers and
torch.optim alone; and the first steps of it once more under autocast to bfloat16. Run it in an environment with the versions that it records:

    python reference.py
"""
import json
import math
import pathlib

import torch
import transformers
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

HERE = pathlib.Path(__file__).parent
BATCH, SEQ, STEPS, BFLOAT16_STEPS, TEMPERATURE = 2, 16, 100, 50, 2.0


def llama(**sizes):
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=64, max_position_embeddings=64, rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=True,
        attn_implementation="eager", **sizes))


def rate(step, peak=1e-2, warmup=5, horizon=100, final=0.1):
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = min(1, (step - warmup) / (horizon - warmup))
    return peak * (final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2)


def extract(teacher):
    """Layers 0 and 2, 16 embedding dimensions, group 0 with its heads 0 and 1, 24 neurons."""
    student = llama(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=8,
                    intermediate_size=24)
    t, s = teacher.state_dict(), {}
    s["model.embed_tokens.weight"] = s["lm_head.weight"] = t["model.embed_tokens.weight"][:, :16]
    s["model.norm.weight"] = t["model.norm.weight"][:16]
    for to, source in enumerate([0, 2]):
        for name, rows, columns in [
                ("self_attn.q_proj", 16, 16), ("self_attn.k_proj", 8, 16), ("self_attn.v_proj", 8, 16),
                ("self_attn.o_proj", 16, 16), ("mlp.gate_proj", 24, 16), ("mlp.up_proj", 24, 16), ("mlp.down_proj", 16, 24)]:
            s[f"model.layers.{to}.{name}.weight"] = t[f"model.layers.{source}.{name}.weight"][:rows, :columns]
        for name in ["input_layernorm", "post_attention_layernorm"]:
            s[f"model.layers.{to}.{name}.weight"] = t[f"model.layers.{source}.{name}.weight"][:16]
    student.load_state_dict(s)
    return student


def distil(teacher, windows, steps, bfloat16):
    """The steps' loss, cross-entropy and gradient norm. Under autocast weights stay float32."""
    student = extract(teacher)
    decayed = [p for p in student.parameters() if p.dim() > 1]
    norms = [p for p in student.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": norms, "weight_decay": 0.0}],
                                  lr=1e-2, betas=(0.9, 0.95), eps=1e-8)
    points = []
    for step in range(steps):
        batch = windows[step * BATCH:(step + 1) * BATCH]
        inputs, targets = batch[:, :-1], batch[:, 1:].reshape(-1)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            with torch.no_grad():
                taught = teacher(inputs).logits.reshape(-1, 64).float()
            logits = student(inputs).logits.reshape(-1, 64).float()
        p = torch.log_softmax(taught / TEMPERATURE, -1)
        ce = torch.nn.functional.cross_entropy(logits, targets)
        q = torch.log_softmax(logits / TEMPERATURE, -1)
        kl = torch.nn.functional.kl_div(q, p, log_target=True, reduction="batchmean") * TEMPERATURE ** 2
        loss = 0.3 * ce + 0.7 * kl
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        optimizer.step()
        points.append({"loss": loss.item(), "ce": ce.item(), "grad_norm": norm.item()})
    return points


def main():
    torch.manual_seed(1)
    teacher = llama(hidden_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
                    intermediate_size=48)
    with torch.no_grad():  # larger weights than at initialization, so that logits and norms matter
        for name, p in teacher.named_parameters():
            p.mul_(5) if p.dim() > 1 else p.add_(0.3 * torch.randn_like(p))
    windows = torch.tensor([[(i * i * 31 + 7 * i + 11 * w) % 64 for i in range(SEQ + 1)] for w in range(BATCH * STEPS)])
    with torch.no_grad():
        inputs = windows[:2, :-1]
        teacher_ce = torch.nn.functional.cross_entropy(teacher(inputs).logits.reshape(-1, 64), windows[:2, 1:].reshape(-1)).item()
    tensors = {k: v.contiguous() for k, v in teacher.state_dict().items() if k != "lm_head.weight"}
    save_file(tensors, HERE / "teacher.safetensors", metadata={"format": "pt"})
    json.dump({"versions": {"torch": torch.__version__, "transformers": transformers.__version__},
               "teacher_ce": teacher_ce, "points": distil(teacher, windows, STEPS, bfloat16=False),
               "bfloat16_points": distil(teacher, windows, BFLOAT16_STEPS, bfloat16=True), "windows": windows.flatten().tolist()},
              open(HERE / "reference.json", "w"), indent=None)


if __name__ == "__main__":
    main()
