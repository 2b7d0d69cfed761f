"""Makes whittle_spaces.json: what whittle 0.6.0's search spaces draw.

    python whittle_spaces.py <whittle-0.6.0> >whittle_spaces.json

For each space and teacher 20,000 configurations are drawn, and for each size the share of draws up to each of some
thresholds is kept. Draws that the teacher does not have are thrown away: llama_joint proposes heads and head sizes beyond
it, and the spaces do not know that each query group has equally many heads. For medium this would throw away deep ones
with grouped queries, so there it is drawn for the other teacher only. Only search_spaces.py is loaded: whittle.search itself needs an older syne-tune.
"""

import importlib.metadata, importlib.util, json, pathlib, platform, sys
from types import SimpleNamespace

import numpy as np

DRAWS = 20000
TEACHERS = {
    "pythia-410m": SimpleNamespace(n_embd=1024, n_layer=24, n_head=16, n_query_groups=16, head_size=64, intermediate_size=4096),
    "llama-3.2-1b": SimpleNamespace(n_embd=2048, n_layer=16, n_head=32, n_query_groups=8, head_size=64, intermediate_size=8192),
}

path = pathlib.Path(sys.argv[1]) / "whittle" / "search" / "search_spaces.py"
spec = importlib.util.spec_from_file_location("search_spaces", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)


def sizes(cast):
    """The first layer's sizes and the last's, the depth and the width."""
    def at(value, index):
        return value[index] if isinstance(value, list) else value
    heads, ffn = cast["sub_network_num_heads"], cast["sub_network_intermediate_size"]
    return {"depth": cast["sub_network_n_layers"], "embd": cast["sub_network_n_embd"], "heads": at(heads, 0),
            "last heads": at(heads, -1), "ffn": at(ffn, 0), "last ffn": at(ffn, -1),
            "head size": cast.get("sub_network_head_size", 64)}


def exists(teacher, z):
    """Each query group has as many heads, and whittle keeps all of them."""
    groups = teacher.n_query_groups if teacher.n_query_groups < teacher.n_head else 1
    return all([z["heads"] <= teacher.n_head, z["heads"] % groups == 0, z["last heads"] % groups == 0,
                z["head size"] <= teacher.head_size, z["ffn"] <= teacher.intermediate_size])


out = []
for name, teacher in TEACHERS.items():
    for space, make in module.search_spaces.items():
        if space == "medium" and teacher.n_query_groups < teacher.n_head:
            continue
        domain, random = make(teacher), np.random.RandomState(1)
        drawn = []
        while len(drawn) < DRAWS:
            config = {k: d.sample(random_state=random) for k, d in domain.config_space.items()}
            z = sizes(domain.cast(config))
            if exists(teacher, z):
                drawn.append(z)
        for size in drawn[0]:
            values = np.array([z[size] for z in drawn])
            at = sorted(set(np.quantile(values, np.linspace(0.1, 0.9, 9), method="lower").tolist()))
            out.append({"space": space, "teacher": name, "size": size,
                        "at": at, "share": [round(float(np.mean(values <= a)), 4) for a in at]})
json.dump({"versions": {n: importlib.metadata.version(n) for n in ["syne-tune", "numpy"]} | {"whittle": "0.6.0", "python": platform.python_version()},
           "draws": DRAWS, "sizes": out}, sys.stdout)
print()
