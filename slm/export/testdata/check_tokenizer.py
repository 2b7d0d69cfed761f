"""Prints what transformers makes of exported students' tokenizers, for a test to compare with its own.

    python check_tokenizer.py TEXTS STUDENT...

TEXTS is JSON, a list of texts. Prints JSON with an object for each folder, in order:
  "ids"       the ids of each text, with the special tokens that the tokenizer adds
  "decoded"   the text of those ids, without special tokens
  "eos"       the text of the token that ends texts
  "ends"      its id, as generate() takes it
"""

import json, os, sys, tempfile

CACHE = tempfile.TemporaryDirectory()  # not the user's
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HOME": CACHE.name}

import transformers


def main(texts, *students):
    found = []
    for student in students:
        tokenizer = transformers.AutoTokenizer.from_pretrained(student)
        ids = [tokenizer(text)["input_ids"] for text in json.loads(texts)]
        found.append({"ids": ids, "decoded": [tokenizer.decode(i, skip_special_tokens=True) for i in ids], "eos": tokenizer.eos_token,
                      "ends": transformers.GenerationConfig.from_pretrained(student).eos_token_id})
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
