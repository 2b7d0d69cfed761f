"""Makes expected.json: what transformers expects of a text, token by token, and where its heads look, for teachers of
../transformers.

    python make.py

Made with the versions that expected.json records. For each teacher
  "losses"     of the tokens but the first, in nats: torch's cross_entropy, without reduction
  "likeliest"  after each token the ids of the 5 likeliest next ones, and "chances", their probabilities: torch's topk of softmax
  "attention"  base64 of little-endian float32, [layers, heads, T, T]: output_attentions with eager attention
"""

import base64, json, pathlib, platform

import torch, transformers

HERE = pathlib.Path(__file__).parent
TEACHERS = ["neox", "llama-untied-gqa", "qwen3"]  # one of each family
TOKENS = [(i * i * 31 + 7 * i + 3) % 64 for i in range(21)]


@torch.no_grad()
def expected(name):
    folder = HERE.parent / "transformers" / name
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    text = torch.tensor([TOKENS])
    out = model(text, output_attentions=True)
    losses = torch.nn.functional.cross_entropy(out.logits[0, :-1], text[0, 1:], reduction="none")
    chances, likeliest = torch.softmax(out.logits[0], -1).topk(5)
    attention = torch.stack([a[0] for a in out.attentions]).numpy().astype("<f4")
    return {"losses": losses.tolist(), "likeliest": likeliest.tolist(), "chances": chances.tolist(),
            "attention": base64.b64encode(attention.tobytes()).decode()}


def main():
    versions = {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__}
    result = {"versions": versions, "tokens": TOKENS, "teachers": {name: expected(name) for name in TEACHERS}}
    (HERE / "expected.json").write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
