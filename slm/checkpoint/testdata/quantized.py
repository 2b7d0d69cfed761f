"""Writes quantized.json: what the gguf package makes of blocks of every quantized type, for a test to compare.

    python quantized.py

Made with Python 3.11.7, gguf 0.19.0 and numpy 2.4.6. For each type, "blocks" is base64 of random blocks whose scales are
ordinary numbers, and "values" base64 of little-endian float32, their dequantized values.
"""

import base64, json, pathlib

import numpy
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

# Where a block has its float16 numbers, in bytes.
SCALES = {"F16": [0], "BF16": [], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
          "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
BLOCKS = 5


def main():
    random, found = numpy.random.default_rng(4), {}
    for name, scales in SCALES.items():
        kind = GGMLQuantizationType[name]
        _, size = GGML_QUANT_SIZES[kind]
        count = BLOCKS if size > 2 else 64
        raw = random.integers(0, 256, (count, size), dtype=numpy.uint8)
        if name == "BF16":
            raw = (random.normal(size=count).astype("<f4").view("<u4") >> 16).astype("<u2").view(numpy.uint8).reshape(count, 2)
        for at in scales:
            raw[:, at:at + 2] = random.normal(scale=0.1, size=count).astype("<f2").view(numpy.uint8).reshape(count, 2)
        values = dequantize(raw.reshape(-1) if size > 2 else raw.reshape(-1).view("<f2" if name == "F16" else numpy.uint8), kind)
        encode = lambda a: base64.b64encode(a.tobytes()).decode()
        found[name] = {"blocks": encode(raw), "values": encode(values.astype("<f4"))}
    lines = ",\n".join(f' "{name}": {json.dumps(f)}' for name, f in found.items())
    pathlib.Path(__file__).with_name("quantized.json").write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
