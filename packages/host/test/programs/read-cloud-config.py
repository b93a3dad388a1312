"""Reads pairs of texts as cloud-init does, and tells for each what is different in their meaning.

Standard input: JSON, a list of [text, merged text]. Standard output: JSON, for each pair null if cloud-init cannot
read the first text, else [whether all but users is equal, users of the second].
"""
import json
import sys

import yaml
from cloudinit import handlers, templater

# Values that are more than a word, as instance data may have them.
VALUES = {"word": "web", "lines": "a\nb", "yaml": "x: [1, 2]", "nothing": None}


def read(text):
    if text.startswith("## template: jinja"):
        text = templater.render_string(text, {"v": VALUES})
    if handlers.type_from_starts_with(text) != "text/cloud-config":
        raise ValueError("no cloud-config")
    found = yaml.safe_load(text)
    if found is None:
        found = {}
    if not isinstance(found, dict):
        raise ValueError("no mapping")
    return found


def compare(before, after):
    try:
        one = read(before)
    except Exception:  # of any reader
        return None
    other = read(after)
    one.pop("users", None)
    users = other.pop("users", None)
    # repr tells 1 from True and 1.0.
    return [repr(sorted(one.items(), key=repr)) == repr(sorted(other.items(), key=repr)), users]


print(json.dumps([compare(before, after) for before, after in json.load(sys.stdin)], default=repr))
