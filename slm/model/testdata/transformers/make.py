"""Makes the tiny teachers in this folder: random weights as transformers writes them, and the logits that it gives.

    python make.py

Made with the versions that each expected.json records. A folder holds
  config.json          as save_pretrained of transformers 5 writes it (rope_parameters)
  config-4x.json       the same architecture in the keys that transformers 4 wrote (rope_theta and rope_scaling, or
                       rotary_emb_base and rotary_pct), as nearly all published checkpoints have them; transformers 4.53
                       gives the same logits with it (../whittle/make.py checks that). That of llama-untied leaves out
                       head_dim and num_key_value_heads, as the first Llamas did
  model.safetensors    or shards of it with model.safetensors.index.json
  expected.json        "tokens": 2 sequences of 24; "logits": base64 of little-endian float32, [2, 24, vocab]

Logits are computed in float32 on the CPU from the weights in the file: where those are bfloat16 or float16, from the
rounded ones. The weights are spread so that no part of a model is negligible: scales of norms are not near 1, biases
not near 0, attention scores and feed-forward parts of the order of 1.
"""

import base64, json, pathlib, platform, shutil

import numpy, safetensors, torch, transformers

HERE = pathlib.Path(__file__).parent
VOCAB, SEQUENCES, LENGTH = 64, 2, 24

NEOX = dict(vocab_size=VOCAB, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
            max_position_embeddings=64, bos_token_id=0, eos_token_id=0)
LLAMA = dict(vocab_size=VOCAB, hidden_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             head_dim=8, intermediate_size=48, max_position_embeddings=64, rms_norm_eps=1e-5, bos_token_id=0, eos_token_id=0)
LLAMA_3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
           "original_max_position_embeddings": 64}


def neox(rotary=0.25, theta=10000.0, **changes):
    rope = {"rope_type": "default", "rope_theta": theta, "partial_rotary_factor": rotary}
    return transformers.GPTNeoXConfig(**{**NEOX, **changes}, rope_parameters=rope)


def llama(rope=None, **changes):
    return transformers.LlamaConfig(**{**LLAMA, **changes}, rope_parameters=rope or {"rope_type": "default", "rope_theta": 10000.0})


def qwen3(**changes):
    return transformers.Qwen3Config(**{**LLAMA, "rms_norm_eps": 1e-6, "head_dim": 12, **changes},
                                    rope_parameters={"rope_type": "default", "rope_theta": 1000000.0})


# Those that ../whittle takes sub-networks of have more layers, heads and groups to choose from.
CASES = {
    # Pythia's: untied, a quarter of each head turns, attention and feed-forward part read the same input.
    "neox": (neox(hidden_size=48, num_attention_heads=3, num_hidden_layers=3, tie_word_embeddings=False), {}),
    "neox-sequential": (neox(rotary=1.0, theta=5000.0, use_parallel_residual=False, tie_word_embeddings=True), {}),
    "neox-f16": (neox(tie_word_embeddings=False), {"dtype": torch.float16}),
    # SmolLM2's
    "llama-tied-gqa": (llama(hidden_size=32, num_hidden_layers=3, tie_word_embeddings=True), {}),
    "llama-untied-gqa": (llama(num_hidden_layers=4, num_attention_heads=6, num_key_value_heads=3,
                               intermediate_size=40, tie_word_embeddings=False), {}),
    # Llama 2's
    "llama-untied": (llama(hidden_size=32, num_key_value_heads=4, tie_word_embeddings=False), {}),
    "llama-sharded": (llama(tie_word_embeddings=False), {"max_shard_size": "25KB"}),
    # Of the 8 pairs of a head the first is kept, two are interpolated, the others slowed down.
    "llama3-rope": (llama(LLAMA_3, max_position_embeddings=512, num_attention_heads=2,
                          num_key_value_heads=1, head_dim=16, tie_word_embeddings=True), {}),
    "llama-linear-rope": (llama({"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}, tie_word_embeddings=True), {}),
    "llama-bf16": (llama(tie_word_embeddings=False), {"dtype": torch.bfloat16}),
    "qwen3": (qwen3(num_hidden_layers=3, tie_word_embeddings=True), {}),
    "qwen3-untied": (qwen3(num_key_value_heads=1, tie_word_embeddings=False), {}),
}


@torch.no_grad()
def randomize(model, seed):
    g = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=g)
        if p.dim() == 2:
            p.copy_(noise * (0.7 if "embed_" in name and "out" not in name else 1.5 / p.shape[1] ** 0.5))
        elif name.endswith("bias"):
            p.copy_(0.3 * noise)
        else:
            p.copy_(1 + 0.3 * noise)


def older_keys(config):
    """A config.json of transformers 5 in the keys of transformers 4."""
    old = dict(config)
    rope = dict(old.pop("rope_parameters"))
    kind, theta = rope.pop("rope_type"), rope.pop("rope_theta")
    if old["model_type"] == "gpt_neox":
        old["rotary_emb_base"], old["rotary_pct"] = theta, rope.pop("partial_rotary_factor")
    else:
        old["rope_theta"] = theta
    old["rope_scaling"] = None if kind == "default" else {**rope, "rope_type": kind}
    old["torch_dtype"], old["transformers_version"] = old.pop("dtype"), "4.53.3"
    if old["model_type"] == "llama" and old["num_attention_heads"] == old["num_key_value_heads"]:
        del old["head_dim"], old["num_key_value_heads"]
    return dict(sorted(old.items()))


def tokens():
    return [[(i * i * 31 + 7 * i + 11 * s + 3) % VOCAB for i in range(LENGTH)] for s in range(SEQUENCES)]


def main():
    versions = {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__,
                "safetensors": safetensors.__version__}
    for seed, (name, (config, options)) in enumerate(CASES.items()):
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        model = transformers.AutoModelForCausalLM.from_config(config)
        randomize(model, seed)
        model.to(options.pop("dtype", torch.float32)).save_pretrained(folder, **options)
        (folder / "generation_config.json").unlink(missing_ok=True)
        text = (folder / "config.json").read_text()
        (folder / "config-4x.json").write_text(json.dumps(older_keys(json.loads(text)), indent=2) + "\n")
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        with torch.no_grad():
            logits = model(torch.tensor(tokens())).logits
        assert logits.shape == (SEQUENCES, LENGTH, VOCAB) and logits.dtype == torch.float32
        expected = {"versions": versions, "tokens": tokens(),
                    "logits": base64.b64encode(logits.numpy().astype("<f4").tobytes()).decode()}
        (folder / "expected.json").write_text(json.dumps(expected) + "\n")
        print(f"{name}: logits spread {logits.std():.2f}, {sum(p.numel() for p in model.parameters())} parameters")


if __name__ == "__main__":
    main()
