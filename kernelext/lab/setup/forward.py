"""Computes the loss of windows with transformers, for `lab bench models` to compare speeds.

    python forward.py GGUF SEQ BATCH

Loads the model in float32, prints a line of JSON about it, and then makes a pass for each line on the standard input: the
losses of BATCH windows of SEQ tokens, of which all but a window's first are predicted, in float32 on all cores.
"""

import json, os, pathlib, sys, time

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}

import torch
import transformers


def main(path, seq, batch):
    path, seq, batch = pathlib.Path(path), int(seq), int(batch)
    torch.set_num_threads(os.cpu_count())
    begin = time.perf_counter()
    model = transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
    say({"parameters": sum(p.numel() for p in model.parameters()), "vocab": model.config.vocab_size,
         "seconds": time.perf_counter() - begin, "torch": torch.__version__, "transformers": transformers.__version__})
    ids = torch.tensor([(i * i * 31 + 7 * i + 3) % model.config.vocab_size for i in range(batch * seq)]).view(batch, seq)
    for _ in sys.stdin:
        begin = time.perf_counter()
        with torch.inference_mode():
            logits = model(ids[:, :-1], use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).item()
        say({"seconds": time.perf_counter() - begin, "loss": loss})


def say(line):
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:4])
