"""Writes each shell script of pipeline files into a folder, one file each: scripts_of.py FOLDER FILE..."""

import re
import sys
from pathlib import Path

from ruamel.yaml import YAML


def scripts(pipeline):
    """Pairs of a name and a script: the steps of GitHub's jobs, the scripts of GitLab's."""
    for job, content in pipeline.get("jobs", {}).items():
        for number, step in enumerate(content["steps"]):
            if "run" in step:
                yield f"{job}-{number}", step["run"]
    for job, content in pipeline.items():
        if isinstance(content, dict):
            for key in ("before_script", "script", "after_script"):
                if key in content:
                    yield f"{job}-{key}", "\n".join(content[key])


folder = Path(sys.argv[1])
folder.mkdir(parents=True)
for file in map(Path, sys.argv[2:]):
    found = list(scripts(YAML(typ="safe").load(file)))
    if not found:
        sys.exit(f"{file}: no script found")
    for name, script in found:
        name = re.sub(r"[^\w-]", "_", f"{file.stem}-{name}")
        (folder / f"{name}.sh").write_text(f"#!/usr/bin/env bash\nset -eo pipefail\n{script}\n")
