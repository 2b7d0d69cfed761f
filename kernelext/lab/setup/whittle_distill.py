"""Distils a student with whittle's loss, for `lab bench distill speed` to compare speeds.

    python whittle_distill.py TEACHER STUDENT BATCH SEQ PEAK WEIGHT_DECAY BETA1 BETA2 CLIP

whittle (PyPI, of the authors of arXiv 2510.07227) is the peer. TEACHER is a GGUF of a Llama or a Hugging Face folder of a
GPT-NeoX, STUDENT a Hugging Face folder of the same family: both become whittle's GPT, in float32. Prints a line of JSON, and
then takes a step for each line on the standard input, on the same BATCH windows of SEQ tokens and the token after them:
the teacher's logits under inference_mode, whittle's DistillLoss (0.3 cross-entropy, 0.7 forward KL, temperature 1), backward,
clipping, AdamW. That is a step of whittle/distill_model.py less its data loader and logging, with PyTorch's fused AdamW, which is
the fastest it has. On a GPU if there is one and otherwise on all cores.
"""

import importlib.util, json, os, pathlib, sys, time

import torch
from whittle.loss import DistillLoss

spec = importlib.util.spec_from_file_location("whittle_evaluate", pathlib.Path(__file__).with_name("whittle_evaluate.py"))
evaluate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(evaluate)


def main(teacher, student, batch, seq, peak, weight_decay, beta1, beta2, clip):
    batch, seq, clip = int(batch), int(seq), float(clip)
    torch.set_num_threads(os.cpu_count())
    device = "cuda" if torch.cuda.is_available() else "cpu"
    begin = time.perf_counter()
    teacher, student = (evaluate.load(pathlib.Path(m)).to(device) for m in (teacher, student))
    teacher.eval()
    student.train()
    teacher.max_seq_length = student.max_seq_length = seq
    matrices = [p for p in student.parameters() if p.dim() > 1]
    others = [p for p in student.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": float(weight_decay)}, {"params": others, "weight_decay": 0}],
                                  lr=float(peak), betas=(float(beta1), float(beta2)), fused=True)
    loss_of = DistillLoss(0.3, 0.7, 1.0, "forward_kld", "other")
    vocab = student.config.padded_vocab_size
    ids = torch.tensor([(i * i * 31 + 7 * i + 3) % vocab for i in range(batch * (seq + 1))]).view(batch, seq + 1).to(device)
    inputs, targets = ids[:, :-1].contiguous(), ids[:, 1:].reshape(-1)
    print(json.dumps({"parameters": sum(p.numel() for p in student.parameters()), "vocab": vocab,
                      "seconds": time.perf_counter() - begin}), flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        with torch.inference_mode():
            taught = teacher(inputs).flatten(0, 1)
        loss = loss_of(student(inputs).flatten(0, 1), targets, taught.clone())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        value = loss.item()
        print(json.dumps({"seconds": time.perf_counter() - begin, "loss": value, "peak": peak_bytes()}), flush=True)


def peak_bytes():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main(*sys.argv[1:])
