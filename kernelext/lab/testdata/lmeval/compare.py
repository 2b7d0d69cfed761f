"""Runs lm-eval on a student and prints what it finds, for a test to compare with `lab eval`.

    python compare.py STUDENT OUT

STUDENT is a folder that `lab export` wrote, OUT one with the windows.jsonl that windows.py made. The model runs as in
`lm_eval --model hf --model_args pretrained=STUDENT`, offline, on the CPU, in float32, and no special tokens are added.
Prints JSON: "loglikelihood", the sum over all predicted tokens, in nats; "tokens", how many those are; "rolling", the same sum over
whole rolling windows of text.txt, as the windows' tokens are long, and "rolling_tokens"; "text_tokens", those of text.txt; "versions".
It fails if lm-eval saw other text than in the windows, or if the student's tokenizer gives it other tokens.
"""

import json, os, pathlib, sys, tempfile

sys.dont_write_bytecode = True  # lm-eval imports windows.py from this folder
HERE = pathlib.Path(__file__).parent
CACHE = tempfile.TemporaryDirectory()  # datasets and evaluate want a folder: not the user's
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": CACHE.name, "TOKENIZERS_PARALLELISM": "false"}

import lm_eval
import torch
import transformers
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window


def has_custom_code(student):
    return "auto_map" in json.loads((pathlib.Path(student) / "config.json").read_text())


def rolling(model, text, length):
    """lm-eval's rolling log-likelihood of a text's tokens after the end of another, but for those that fill no window."""
    ids = model.tok_encode(text)
    count = len(ids) // length * length
    windows = get_rolling_token_windows(ids[:count], prefix_token=model.prefix_token_id, max_seq_len=length, context_len=1)
    found = model._loglikelihood_tokens([(("", ""), *make_disjoint_window(w)) for w in windows])
    return {"rolling": sum(loglikelihood for loglikelihood, _ in found), "rolling_tokens": count, "text_tokens": len(ids)}


def main(student, out):
    windows = pathlib.Path(out).resolve() / "windows.jsonl"
    documents = [json.loads(line) for line in open(windows)]
    # A prefix token is asked for even where no context is empty; the student's tokenizer need not have one.
    model = HFLM(pretrained=student, device="cpu", dtype="float32", batch_size=4, add_bos_token=False, prefix_token_id=0,
                 trust_remote_code=has_custom_code(student))
    for d in documents:
        got = model._encode_pair(d["context"], d["continuation"])
        assert got == (d["ids"][:1], d["ids"][1:]), f"lm-eval has other tokens for {d['context'] + d['continuation']!r}"
    manager = TaskManager(include_path=str(HERE), include_defaults=False, metadata={"windows": str(windows)})
    found = lm_eval.simple_evaluate(model, tasks=["windows"], task_manager=manager, log_samples=True, bootstrap_iters=0)
    seen = sorted((s["doc_id"], *s["arguments"][0]) for s in found["samples"]["windows"])
    assert seen == [(i, d["context"], d["continuation"]) for i, d in enumerate(documents)], "lm-eval saw other text"
    metrics = found["results"]["windows"]
    text = (pathlib.Path(out) / "text.txt").read_text(encoding="utf-8")
    print(json.dumps({"loglikelihood": metrics["loglikelihood,none"], "tokens": metrics["tokens,none"],
                      **rolling(model, text, len(documents[0]["ids"]) - 1), "versions": {
        "lm_eval": lm_eval.__version__, "torch": torch.__version__, "transformers": transformers.__version__}}))


if __name__ == "__main__":
    main(*sys.argv[1:3])
