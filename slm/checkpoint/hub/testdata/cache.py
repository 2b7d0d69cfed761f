"""Looks at a cache with Python's huggingface_hub, or fetches into one, for a test to compare with its own.

    HF_HUB_CACHE=... python cache.py scan             what the cache holds
    HF_HUB_CACHE=... python cache.py find REPO FILE   where a file is, without any request
    HF_HUB_CACHE=... HF_ENDPOINT=... python cache.py fetch REPO FILE...

Prints JSON.
"""

import json, sys

from huggingface_hub import hf_hub_download, scan_cache_dir


def scan():
    found = scan_cache_dir()
    return {"warnings": [str(w) for w in found.warnings],
            "repositories": {r.repo_id: {"kind": r.repo_type, "size": r.size_on_disk,
                                         "revisions": {v.commit_hash: {"refs": sorted(v.refs), "files": sorted(f.file_name for f in v.files)} for v in r.revisions}}
                             for r in found.repos}}


def main(verb, *args):
    if verb == "scan":
        return scan()
    return [hf_hub_download(args[0], name, local_files_only=verb == "find") for name in args[1:]]


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
