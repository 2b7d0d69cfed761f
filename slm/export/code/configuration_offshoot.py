# Copyright The Offshoot Authors. Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file
# except in compliance with the License. You may obtain a copy of it at http://www.apache.org/licenses/LICENSE-2.0.
# Unless required by applicable law or agreed to in writing, software distributed under the License is distributed on an
# "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
"""The architecture of a language model whose layers differ in size."""

from transformers import PretrainedConfig


class OffshootConfig(PretrainedConfig):
    """An architecture of the family "llama", "qwen3" or "gpt_neox". `layers` has an object for each layer:

    heads_per_group   query heads of each query group, such as [3, 1]: 4 heads, of which 3 share keys and values
    head_size         dimensions of a head; in pairs, the first 2 * len(frequencies) of them are rotated
    frequencies       of the rotated pairs, in radians per position
    attention_scale   multiplies the attention scores
    ffn               neurons of the feed-forward part
    """

    model_type = "offshoot"

    def __init__(self, family="llama", vocab_size=1, hidden_size=2, layers=(), max_position_embeddings=2048, norm_eps=1e-5,
                 parallel_residual=False, tie_word_embeddings=False, use_cache=True, **others):
        self.family = family
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.layers = list(layers)
        self.num_hidden_layers = len(self.layers)
        self.max_position_embeddings = max_position_embeddings
        self.norm_eps = norm_eps
        self.parallel_residual = parallel_residual
        self.use_cache = use_cache
        others.pop("num_hidden_layers", None)
        super().__init__(tie_word_embeddings=tie_word_embeddings, **others)
