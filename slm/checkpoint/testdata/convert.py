"""Writes model folders as GGUF files with the gguf package, as llama.cpp's converter does, for a test to read both.

    python convert.py FOLDER FILE.gguf [FOLDER FILE.gguf]...

The parts of the converter that change something are conversion/llama.py (permute, and rope_freqs.weight for Llama 3's
rotary scaling), conversion/gptneox.py (queries, keys and values apart) and conversion/base.py (linear scaling).
"""

import json, math, pathlib, sys

import gguf, numpy, safetensors.torch, torch

ARCHITECTURES = {"gpt_neox": gguf.MODEL_ARCH.GPTNEOX, "llama": gguf.MODEL_ARCH.LLAMA, "qwen3": gguf.MODEL_ARCH.QWEN3}


def permute(rows, heads):
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def apart(rows, heads):
    return torch.cat([part.reshape(-1, *rows.shape[1:]) for part in rows.reshape(heads, 3, -1, *rows.shape[1:]).unbind(1)])


def factors(rope, size):
    for i in range(0, size, 2):
        frequency = 1 / rope["rope_theta"] ** (i / size)
        turns = rope["original_max_position_embeddings"] * frequency / (2 * math.pi)
        low, high = rope["low_freq_factor"], rope["high_freq_factor"]
        if turns > high:
            yield 1
        elif turns < low:
            yield rope["factor"]
        else:
            smooth = (turns - low) / (high - low)
            yield 1 / ((1 - smooth) / rope["factor"] + smooth)


def main(folder, target):
    folder = pathlib.Path(folder)
    c = json.loads((folder / "config.json").read_text())
    arch, rope, heads = ARCHITECTURES[c["model_type"]], c["rope_parameters"], c["num_attention_heads"]
    size = c.get("head_dim") or c["hidden_size"] // heads
    names = gguf.get_tensor_name_map(arch, c["num_hidden_layers"])
    w = gguf.GGUFWriter(target, gguf.MODEL_ARCH_NAMES[arch])
    w.add_block_count(c["num_hidden_layers"]); w.add_context_length(c["max_position_embeddings"]); w.add_embedding_length(c["hidden_size"])
    w.add_feed_forward_length(c["intermediate_size"]); w.add_head_count(heads); w.add_rope_freq_base(rope["rope_theta"])
    w.add_tokenizer_model("gpt2"); w.add_tokenizer_pre("olmo"); w.add_token_list([f"t{i}" for i in range(c["vocab_size"])])
    if c["model_type"] == "gpt_neox":
        w.add_rope_dimension_count(int(rope["partial_rotary_factor"] * size)); w.add_parallel_residual(c["use_parallel_residual"])
        w.add_layer_norm_eps(c["layer_norm_eps"])
    else:
        w.add_head_count_kv(c["num_key_value_heads"]); w.add_key_length(size); w.add_value_length(size); w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    if rope["rope_type"] == "linear":
        w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR); w.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "llama3":
        w.add_tensor("rope_freqs.weight", numpy.array(list(factors(rope, size)), dtype="<f4"))
    for file in sorted(folder.glob("*.safetensors")):
        for name, t in safetensors.torch.load_file(file).items():
            t = t.float()
            if "query_key_value" in name:
                t = apart(t, heads)
            if c["model_type"] == "llama" and "q_proj" in name:
                t = permute(t, heads)
            if c["model_type"] == "llama" and "k_proj" in name:
                t = permute(t, c["num_key_value_heads"])
            w.add_tensor(names.get_name(name, try_suffixes=(".weight", ".bias")), t.contiguous().numpy())
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()


if __name__ == "__main__":
    for folder, target in zip(sys.argv[1::2], sys.argv[2::2]):
        main(folder, target)
