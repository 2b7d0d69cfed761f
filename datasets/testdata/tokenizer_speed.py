"""Times Hugging Face's tokenizers on documents, beside BenchmarkTokenize of package datasets.

    python tokenizer_speed.py tokenizer.json < documents.jsonl

Each line of the input is a document as a JSON string. The result is a line of JSON: the tokens, a separator for each
document not counted, and the seconds that encode_batch took on all cores, including making lists of the ids. Text of
special tokens is taken as text, as the package does.
"""

import json, sys, time

from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.argv[1])
tokenizer.encode_special_tokens = True
documents = [json.loads(line) for line in sys.stdin]
begin = time.perf_counter()
tokens = 0
for first in range(0, len(documents), 1000):  # the batch size of datasets.map
    for encoding in tokenizer.encode_batch(documents[first : first + 1000], add_special_tokens=False):
        tokens += len(encoding.ids)
json.dump({"tokens": tokens, "seconds": time.perf_counter() - begin}, sys.stdout)
