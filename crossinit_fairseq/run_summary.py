"""What the summaries of the examples share: the minutes of the stages, and OUT/summary.json."""

import json
import os
from typing import Any, Dict, Sequence

from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError


def stage_minutes(out: str, stages: Sequence[str]) -> Dict[str, float]:
    """{stage: minutes} of the stages that ran for the folder `out`, as scripts/stages.sh noted them, and their total.

    Raises InputError for a note that is no number.
    """
    minutes: Dict[str, float] = {}
    for stage in stages:
        path = os.path.join(out, "stages", stage + ".minutes")
        if os.path.exists(path):
            try:
                with open(path, encoding="utf-8") as stream:
                    minutes[stage] = float(stream.read())
            except (OSError, ValueError):
                raise InputError(
                    f"{path} holds no number of minutes: remove it, and run the same command again"
                ) from None
    minutes["total"] = round(sum(minutes.values()), 2)
    return minutes


def write_summary(out: str, summary: Any) -> str:
    """Write OUT/summary.json, whole or not at all. Returns its path. Raises InputError when it cannot be written."""
    path = os.path.join(out, "summary.json")
    with complete_file(path) as part, open(part, "w", encoding="utf-8") as stream:
        json.dump(summary, stream, indent=2, ensure_ascii=False)
        stream.write("\n")
    return path
