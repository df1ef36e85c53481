"""What the recipes' summaries share."""

import json
import os


def stage_minutes(out, stages):
    """{stage: minutes} of the stages that ran for the folder `out`, as scripts/stages.sh noted them, and their total."""
    minutes = {}
    for stage in stages:
        path = os.path.join(out, "stages", stage + ".minutes")
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stream:
                minutes[stage] = float(stream.read())
    minutes["total"] = round(sum(minutes.values()), 2)
    return minutes


def write_summary(out, summary):
    """Write OUT/summary.json, whole or not at all. Returns its path."""
    path = os.path.join(out, "summary.json")
    with open(path + ".tmp", "w", encoding="utf-8") as stream:
        json.dump(summary, stream, indent=2, ensure_ascii=False)
        stream.write("\n")
    os.replace(path + ".tmp", path)
    return path
