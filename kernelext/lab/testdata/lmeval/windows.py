"""Windows of a text as a task of lm-eval, to compare its log-likelihoods with those of `lab eval`.

    python windows.py STUDENT TEXT N OUT [LIMIT]

cuts TEXT into windows as `lab eval --text TEXT --seq N` does: N tokens that do not overlap, the last partial window
dropped, no special tokens added. STUDENT is a folder with a tokenizer.json. It writes
  OUT/windows.jsonl   a window a line: "context", its first token's text; "continuation", the rest; "ids", its tokens
  OUT/text.txt        the text of these windows, one after the other: for `lab eval`, which sees the same windows in it
and prints {"windows": ..., "dropped": ..., "tokens": predicted ones} as JSON. LIMIT stops after as many windows.

lm-eval takes text and tokenizes it again, so a window is dropped if that would give other tokens:
- its text does not encode to its tokens (a window may begin within a character, or with what merges differently);
- its first token's text does not encode to that token alone, or ends in whitespace, which lm-eval moves over to the
  continuation;
- appended to the text of the windows before it, it would change the tokens.

The other functions are the task's, in windows.yaml; compare.py runs it.
"""

import json, pathlib, sys


def load(windows, **_):
    """The task's documents. The path comes from TaskManager(metadata={"windows": path}) or --metadata."""
    import datasets

    with open(windows) as lines:
        return {"test": datasets.Dataset.from_list([json.loads(line) for line in lines])}


def context(doc):
    return doc["context"]


def continuation(doc):
    return doc["continuation"]


def results(doc, results):
    (loglikelihood, _greedy), = results
    return {"loglikelihood": loglikelihood, "tokens": len(doc["ids"]) - 1}


def total(values):
    return sum(values)


def make(student, text, n, out, limit=None):
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(pathlib.Path(student) / "tokenizer.json"))
    tokenizer.no_truncation(), tokenizer.no_padding()
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    decode = lambda ids: tokenizer.decode(ids, skip_special_tokens=False)
    ids = encode(pathlib.Path(text).read_text(encoding="utf-8"))
    kept, kept_text, kept_ids, dropped = [], "", [], 0
    for start in range(0, len(ids) - n + 1, n):
        window = ids[start:start + n]
        whole, first = decode(window), decode(window[:1])
        fits = (encode(whole) == window and whole.startswith(first) and first and first == first.rstrip()
                and encode(first) == window[:1] and encode(kept_text + whole) == kept_ids + window)
        if not fits:
            dropped += 1
            continue
        kept.append({"context": first, "continuation": whole[len(first):], "ids": window})
        kept_text, kept_ids = kept_text + whole, kept_ids + window
        if limit and len(kept) == limit:
            break
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "windows.jsonl").write_text("".join(json.dumps(w) + "\n" for w in kept))
    (out / "text.txt").write_bytes(kept_text.encode())
    return {"windows": len(kept), "dropped": dropped, "tokens": len(kept) * (n - 1)}


if __name__ == "__main__":
    student, text, n, out, *limit = sys.argv[1:]
    print(json.dumps(make(student, text, int(n), out, *map(int, limit))))
