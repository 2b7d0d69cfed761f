"""The documents of the tasks in this folder, for lm-eval. Package tasks, in tasks.go, wrote them."""

import json, pathlib

import datasets


def read(name):
    lines = pathlib.Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return {"test": datasets.Dataset.from_list([json.loads(line) for line in lines])}


def next_line(**_):
    return read("next_line.jsonl")


def go_text(**_):
    return read("go_text.jsonl")
