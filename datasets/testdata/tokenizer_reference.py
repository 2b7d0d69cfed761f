"""Writes tokens.json: ids by Hugging Face's tokenizers for strings that are easy to get wrong.

    python tokenizer_reference.py smollm2-135m.gguf tokens.json

Made with Python 3.11.7, tokenizers 0.23.3, gguf 0.19.0 and the vocabulary of SmolLM2-135M-Instruct (Q4_1 GGUF).

The tokenizer is put together as the published tokenizer.json of SmolLM2 describes it: byte-level BPE after cutting each
digit off and GPT-2's pattern. (transformers' own conversion of a GGUF leaves the digits out, and so cuts white space
before a digit otherwise.) Each case has the ids with the text of special tokens taken as text ("plain") and as tokens
("special"), and the text decoded from the first.
"""

import json, sys

import gguf
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

CASES = [
    "", " ", "Hello, world!", "  two  spaces   three ", "a 12 b", "x   34", "2026-11-24 1e-5 3.14159", "n=10\n\n  20\t\t7",
    "func main() {\n\tfmt.Println(\"héllo, 世界\")\n}\n", "don't we'll I'D they've", "emoji 👩‍👩‍👧‍👦 🇨🇭 ☃\ufe0f", "١٢٣ ⅷ ²",
    "e\u0301 combining, \u00e9 composed", "tab\tnewline\nreturn\r\nend", "\u00a0no-break\u2003em space\u200b", "<|im_start|>user\nhi<|im_end|>",
    "<|endoftext|>", "a<|endoftext|>b", "<|im_start", "trailing newline\n", "\n\n\n", "_________ ======= ///////",
    "superkalifragilistikexpialigetisch", "https://go.dev/ref/spec#Index_expressions?x=1&y=2", "नमस्ते दुनिया", "\ufeffbyte order mark", "\ufffd",
]


def build(source):
    fields = gguf.GGUFReader(source).fields
    strings = lambda key: [bytes(fields[key].parts[i]).decode() for i in fields[key].data]
    tokens = strings("tokenizer.ggml.tokens")
    types = [int(fields["tokenizer.ggml.token_type"].parts[i][0]) for i in fields["tokenizer.ggml.token_type"].data]
    merges = [tuple(m.split(" ")) for m in strings("tokenizer.ggml.merges")]
    t = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([AddedToken(token, special=True) for token, kind in zip(tokens, types) if kind == 3])
    return t


def main(source, target):
    t = build(source)
    lines = []
    for text in CASES:
        t.encode_special_tokens = True
        plain = t.encode(text, add_special_tokens=False).ids
        t.encode_special_tokens = False
        special = t.encode(text, add_special_tokens=False).ids
        lines.append(json.dumps({"text": text, "plain": plain, "special": special, "decoded": t.decode(plain, skip_special_tokens=False)}))
    with open(target, "w") as f:
        f.write("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
