"""Prints what llama.cpp makes of exported GGUF files, for a test to compare with its own.

    python check_llamacpp.py TOKENS TEXTS FILE...

TOKENS is JSON, sequences of token ids, and TEXTS is JSON, a list of texts. Each file is served by llama.cpp's server, on
this machine only, from the Python package xllamacpp; made for its version 2026.10.11549. Prints JSON with an object for
each file, in order:
  "logits"   base64 of little-endian float32, [sequences, tokens, vocabulary]: logarithms of the probabilities of what
             follows each token, in float32 with keys and values in float32
  "ids"      the ids of each text, without special tokens added
"""

import base64, json, struct, sys, urllib.request

import xllamacpp

MOST = 100_000  # tokens of a vocabulary


def serve(file):
    p = xllamacpp.CommonParams()
    p.model.path = file
    p.n_ctx, p.n_parallel, p.n_gpu_layers, p.warmup, p.verbosity = 128, 1, 0, False, -1
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 2
    p.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    p.cache_type_k = p.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    return xllamacpp.Server(p)


def ask(server, path, **what):
    request = urllib.request.Request(server.listening_address + path, json.dumps(what).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))


def after(server, ids):
    """The logarithms of the probabilities of each token after ids."""
    # They are those before the bias, which has a letter follow: of half a letter in UTF-8 the server tells nothing.
    found = ask(server, "/completion", prompt=ids, n_predict=1, n_probs=MOST, cache_prompt=False, logit_bias=[["he", 1000]])
    (place,) = found["completion_probabilities"]
    by_id = {token["id"]: token["logprob"] for token in place["top_logprobs"]}
    return struct.pack(f"<{len(by_id)}f", *(by_id[id] for id in range(len(by_id))))


def main(tokens, texts, *files):
    found = []
    for file in files:
        server = serve(file)
        rows = [after(server, ids[: i + 1]) for ids in json.loads(tokens) for i in range(len(ids))]
        ids = [ask(server, "/tokenize", content=text, add_special=False, parse_special=False)["tokens"] for text in json.loads(texts)]
        found.append({"logits": base64.b64encode(b"".join(rows)).decode(), "ids": ids})
        del server
    print(json.dumps(found))


main(*sys.argv[1:])
