"""Runs lm-eval (EleutherAI's language model evaluation harness) on an exported student, for package lmeval.

The first line of the standard input is a request in JSON: "model", a folder for transformers; "tasks"; "limit", "batch",
"device", "include_path", "metadata", as lm-eval's own command has them; "out", the file for lm-eval's results. How far it is goes
to the standard error, as lm-eval's progress bars. When it fails, "out" holds {"error": …, "kind": …} instead, where kind is
"task" for an unknown task, "data" for documents that cannot be fetched, or "other".

The program ends when the standard input does: nobody waits for it any more.
"""

import difflib, json, math, os, pathlib, sys, threading, traceback

DATA = {"ConnectionError", "ConnectError", "ConnectTimeout", "DatasetNotFoundError", "GatedRepoError", "HfHubHTTPError", "LocalEntryNotFoundError",
        "MaxRetryError", "OfflineModeIsEnabled", "ProxyError", "RepositoryNotFoundError"}


class UnknownTask(Exception):
    pass


def plain(value):
    """What JSON has no number for, as text."""
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def end_with_parent():
    sys.stdin.read()
    os._exit(1)


def known(names, folder, metadata):
    """A manager that knows all the tasks. Reading lm-eval's own, 15,000 files, is left out where a folder has those that are named."""
    from lm_eval.tasks import TaskManager

    if folder:
        manager = TaskManager(include_path=folder, include_defaults=False, metadata=metadata)
        if all(name in manager.task_index for name in names):
            return manager
    manager = TaskManager(include_path=folder, metadata=metadata)
    for name in names:
        if name not in manager.task_index:
            near = difflib.get_close_matches(name, manager.all_tasks, n=5)
            raise UnknownTask(f"lm-eval has no task {name!r}" + (f"; near it are {', '.join(near)}" if near else ""))
    return manager


def model_arguments(folder):
    """A student with layers of its own needs its code; a prefix token is asked for even where no context is empty."""
    import transformers

    config = json.loads((pathlib.Path(folder) / "config.json").read_text())
    arguments = {"pretrained": folder, "trust_remote_code": "auto_map" in config}
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=arguments["trust_remote_code"])
    if tokenizer.bos_token_id is None and tokenizer.eos_token_id is None:
        arguments["prefix_token_id"] = config.get("eos_token_id") or 0
    return arguments


def evaluate(asked):
    import lm_eval
    import torch

    manager = known(asked["tasks"], asked["include_path"] or None, asked.get("metadata") or {})
    device = asked["device"] or ("cuda" if torch.cuda.is_available() else "cpu")
    return lm_eval.simple_evaluate("hf", model_args=model_arguments(asked["model"]), tasks=asked["tasks"], num_fewshot=0, batch_size=asked["batch"],
                                   device=device, limit=asked["limit"] or None, task_manager=manager, log_samples=False)


def kind(error):
    """What went wrong, by the names of the exceptions that led to it: their packages differ by version."""
    if isinstance(error, UnknownTask):
        return "task"
    while error:
        if DATA & {c.__name__ for c in type(error).__mro__}:
            return "data"
        error = error.__cause__ or error.__context__
    return "other"


def main():
    asked = json.loads(sys.stdin.readline())
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        found = evaluate(asked)
    except Exception as error:
        traceback.print_exc()
        found = {"error": f"{type(error).__name__}: {error}" if not isinstance(error, UnknownTask) else str(error), "kind": kind(error)}
    from lm_eval.utils import handle_non_serializable

    pathlib.Path(asked["out"]).write_text(json.dumps(plain(found), indent=2, default=handle_non_serializable))
    sys.stderr.flush()
    os._exit(0)  # the thread that reads would hold up an orderly end


main()
