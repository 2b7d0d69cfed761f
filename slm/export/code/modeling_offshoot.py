# Copyright The Offshoot Authors. Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file
# except in compliance with the License. You may obtain a copy of it at http://www.apache.org/licenses/LICENSE-2.0.
# Unless required by applicable law or agreed to in writing, software distributed under the License is distributed on an
# "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
"""A language model whose layers differ in size: Llama, Qwen3 or GPT-NeoX, see OffshootConfig.

Weights have the names that the family's own models give them. Shapes are written with B sequences, T new positions, S
positions in all, E embedding dimensions, H heads in G query groups, D the head size, V tokens.
"""

import torch
from torch import nn
from torch.nn import functional as F
from transformers import DynamicCache, GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from .configuration_offshoot import OffshootConfig


def rotate(x, positions, frequencies):
    """Turns pair i of a head's dimensions, i and i + n of 2n, by positions * frequencies[i]; the others stay.

    x is [B, heads, T, D], positions [B, T].
    """
    n = len(frequencies)
    frequencies = torch.tensor(frequencies, dtype=torch.float32, device=x.device)
    angles = positions[:, None, :, None].float() * frequencies  # [B, 1, T, n]
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second, still = x[..., :n], x[..., n : 2 * n], x[..., 2 * n :]
    return torch.cat((first * cos - second * sin, second * cos + first * sin, still), dim=-1)


def visible(attention_mask, batch, new, total, device):
    """Which positions each new one may look at: itself, and earlier ones that are not padding. [B, 1, T, S]"""
    own = torch.arange(total - new, total, device=device)[:, None]
    every = torch.arange(total, device=device)
    seen = (every <= own).expand(batch, 1, new, total)
    if attention_mask is not None:
        seen = seen & attention_mask[:, None, None, :total].bool()
    return seen | (every == own)  # padding looks at itself: a softmax over nothing is not a number


class Attention(nn.Module):
    """What the families' attention has in common."""

    def __init__(self, layer, number):
        super().__init__()
        self.number, self.head_size, self.scale = number, layer["head_size"], layer["attention_scale"]
        self.frequencies = layer["frequencies"]
        self.groups = len(layer["heads_per_group"])
        self.group_of_head = [g for g, heads in enumerate(layer["heads_per_group"]) for _ in range(heads)]
        self.heads = len(self.group_of_head)

    def split(self, x):
        """[B, T, heads * D] to [B, heads, T, D]"""
        return x.unflatten(-1, (-1, self.head_size)).transpose(1, 2)

    def attend(self, query, key, value, positions, seen, cache):
        """Queries [B, H, T, D], keys and values [B, G, T, D]; gives [B, T, H * D]."""
        query, key = rotate(query, positions, self.frequencies), rotate(key, positions, self.frequencies)
        if cache is not None:
            key, value = cache.update(key, value, self.number)  # [B, G, S, D]
        if self.groups < self.heads:
            key, value = key[:, self.group_of_head], value[:, self.group_of_head]
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=self.scale)
        return mixed.transpose(1, 2).flatten(2)


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(size)), eps

    def forward(self, x):
        wide = x.float()
        return self.weight * (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)).to(x.dtype)


class LlamaAttention(Attention):
    def __init__(self, config, layer, number):
        super().__init__(layer, number)
        queries, keys = self.heads * self.head_size, self.groups * self.head_size
        self.q_proj = nn.Linear(config.hidden_size, queries, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, keys, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, keys, bias=False)
        self.o_proj = nn.Linear(queries, config.hidden_size, bias=False)
        self.normed = config.family == "qwen3"
        if self.normed:
            self.q_norm, self.k_norm = RMSNorm(self.head_size, config.norm_eps), RMSNorm(self.head_size, config.norm_eps)

    def forward(self, x, *context):
        query, key, value = self.split(self.q_proj(x)), self.split(self.k_proj(x)), self.split(self.v_proj(x))
        if self.normed:
            query, key = self.q_norm(query), self.k_norm(key)
        return self.o_proj(self.attend(query, key, value, *context))


class LlamaMLP(nn.Module):
    def __init__(self, config, layer):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, layer["ffn"], bias=False)
        self.up_proj = nn.Linear(config.hidden_size, layer["ffn"], bias=False)
        self.down_proj = nn.Linear(layer["ffn"], config.hidden_size, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class LlamaLayer(nn.Module):
    def __init__(self, config, layer, number):
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.norm_eps)
        self.self_attn = LlamaAttention(config, layer, number)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.norm_eps)
        self.mlp = LlamaMLP(config, layer)

    def forward(self, x, *context):
        x = x + self.self_attn(self.input_layernorm(x), *context)
        return x + self.mlp(self.post_attention_layernorm(x))


class NeoXAttention(Attention):
    def __init__(self, config, layer, number):
        super().__init__(layer, number)
        size = self.heads * self.head_size
        self.query_key_value = nn.Linear(config.hidden_size, 3 * size)
        self.dense = nn.Linear(size, config.hidden_size)

    def forward(self, x, *context):
        heads = self.query_key_value(x).unflatten(-1, (self.heads, 3, self.head_size))  # [B, T, H, 3, D]
        query, key, value = heads.permute(3, 0, 2, 1, 4)
        return self.dense(self.attend(query, key, value, *context))


class NeoXMLP(nn.Module):
    def __init__(self, config, layer):
        super().__init__()
        self.dense_h_to_4h = nn.Linear(config.hidden_size, layer["ffn"])
        self.dense_4h_to_h = nn.Linear(layer["ffn"], config.hidden_size)

    def forward(self, x):
        return self.dense_4h_to_h(F.gelu(self.dense_h_to_4h(x)))


class NeoXLayer(nn.Module):
    def __init__(self, config, layer, number):
        super().__init__()
        self.input_layernorm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.post_attention_layernorm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.attention = NeoXAttention(config, layer, number)
        self.mlp = NeoXMLP(config, layer)
        self.parallel = config.parallel_residual

    def forward(self, x, *context):
        attended = x + self.attention(self.input_layernorm(x), *context)
        return attended + self.mlp(self.post_attention_layernorm(x if self.parallel else attended))


class LlamaBody(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(LlamaLayer(config, layer, i) for i, layer in enumerate(config.layers))
        self.norm = RMSNorm(config.hidden_size, config.norm_eps)


class NeoXBody(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embed_in = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(NeoXLayer(config, layer, i) for i, layer in enumerate(config.layers))
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)


# The names of a family's body, of its embedding and last norm, and of its output head.
NAMES = {
    "llama": ("model", "embed_tokens", "norm", "lm_head"),
    "qwen3": ("model", "embed_tokens", "norm", "lm_head"),
    "gpt_neox": ("gpt_neox", "embed_in", "final_layer_norm", "embed_out"),
}


class OffshootForCausalLM(PreTrainedModel, GenerationMixin):
    config_class = OffshootConfig
    _no_split_modules = ["LlamaLayer", "NeoXLayer"]
    _supports_sdpa = True

    def __init__(self, config):
        super().__init__(config)
        self.body_name, self.embedding_name, self.norm_name, self.head_name = NAMES[config.family]
        body = NeoXBody if config.family == "gpt_neox" else LlamaBody
        setattr(self, self.body_name, body(config))
        if not config.tie_word_embeddings:  # else the embedding serves as the head
            setattr(self, self.head_name, nn.Linear(config.hidden_size, config.vocab_size, bias=False))
        self.post_init()

    @property
    def body(self):
        return getattr(self, self.body_name)

    def get_input_embeddings(self):
        return getattr(self.body, self.embedding_name)

    def set_input_embeddings(self, embedding):
        setattr(self.body, self.embedding_name, embedding)

    def get_output_embeddings(self):
        return None if self.config.tie_word_embeddings else getattr(self, self.head_name)

    def set_output_embeddings(self, head):
        setattr(self, self.head_name, head)

    def forward(self, input_ids=None, attention_mask=None, position_ids=None, past_key_values=None, inputs_embeds=None,
                labels=None, use_cache=None, output_hidden_states=None, logits_to_keep=0, **others):
        x = self.get_input_embeddings()(input_ids) if inputs_embeds is None else inputs_embeds  # [B, T, E]
        if use_cache is None:
            use_cache = self.config.use_cache and labels is None
        if past_key_values is None and use_cache:
            past_key_values = DynamicCache()
        past = past_key_values.get_seq_length() if past_key_values is not None else 0
        batch, new = x.shape[:2]
        if position_ids is None:
            position_ids = torch.arange(past, past + new, device=x.device)[None]
        seen = visible(attention_mask, batch, new, past + new, x.device)
        states = ()
        for layer in self.body.layers:
            if output_hidden_states:
                states += (x,)
            x = layer(x, position_ids, seen, past_key_values)
        x = getattr(self.body, self.norm_name)(x)
        if isinstance(logits_to_keep, int):
            logits_to_keep = slice(-logits_to_keep, None)  # of 0: all
        head = self.get_output_embeddings() or self.get_input_embeddings()
        logits = F.linear(x[:, logits_to_keep], head.weight)  # [B, T, V]
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.vocab_size, **others)
        states = states + (x,) if output_hidden_states else None  # of the last layer as the head reads it
        return CausalLMOutputWithPast(loss=loss, logits=logits, past_key_values=past_key_values, hidden_states=states)
