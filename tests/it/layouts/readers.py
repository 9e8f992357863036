"""Reads YAML by PyYAML and by ruamel.yaml, and compares what they read.

Each line of stdin is {"text": TEXT, "says": VALUE}: a document, and what our reader takes from it, all scalars as text, nothing as the empty one. Each line of
stdout is, for each of the two readers, "same", "differs: …" or "refuses: …".
"""

import json
import sys

import ruamel.yaml
import yaml


def value(node):
    kind = node.id if hasattr(node, "id") else ""
    if kind == "scalar" or isinstance(node.value, str):
        is_null = node.style is None and node.value in ("~", "null", "Null", "NULL")
        return "" if is_null else node.value
    if isinstance(node.value, list) and node.tag.endswith(":seq"):
        return [value(item) for item in node.value]
    made, merged = {}, []
    for key, item in node.value:
        if key.tag.endswith(":merge"):
            merged += item.value if item.tag.endswith(":seq") else [item]
        else:
            made[value(key)] = value(item)
    for item in merged:
        for key, inner in value(item).items():
            made.setdefault(key, inner)
    return made


def read(compose, text, says):
    try:
        node = compose(text)
    except Exception as error:
        return "refuses: " + str(error).replace("\n", " ")[:300]
    found = None if node is None else value(node)
    return "same" if found == says else "differs: " + json.dumps(found)[:300]


def by_pyyaml(text):
    return yaml.compose(text, Loader=yaml.SafeLoader)


def by_ruamel(text):
    return ruamel.yaml.YAML(typ="safe", pure=True).compose(text)


for line in sys.stdin:
    case = json.loads(line)
    readers = [by_pyyaml, by_ruamel]
    print(json.dumps([read(one, case["text"], case["says"]) for one in readers]), flush=True)
