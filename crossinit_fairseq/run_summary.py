"""What the summaries of the examples share: the minutes of the stages, and OUT/summary.json."""

import os
from typing import Any, Dict, Optional, Sequence

from crossinit_fairseq.complete_files import write_json
from crossinit_fairseq.errors import InputError

_NOTE = ".minutes"  # a stage's, in OUT/stages


def stage_minutes(out: str, stages: Sequence[str]) -> Dict[str, float]:
    """{stage: minutes} of the stages that ran for the folder `out`, as scripts/stages.sh noted them, and their total.

    Raises InputError for a note that is no number.
    """
    minutes: Dict[str, float] = {}
    for stage in stages:
        path = os.path.join(out, "stages", stage + _NOTE)
        if os.path.exists(path):
            noted = _noted(path)
            if noted is None:
                raise InputError(f"{path} holds no number of minutes: remove it, and run the same command again")
            minutes[stage] = noted
    minutes["total"] = round(sum(minutes.values()), 2)
    return minutes


def minutes_so_far(out: str) -> Optional[float]:
    """The minutes of all stages noted in a folder, which may be run at this moment; None where there are none."""
    stages = os.path.join(out, "stages")
    names = sorted(os.listdir(stages)) if os.path.isdir(stages) else []
    noted = [_noted(os.path.join(stages, name)) for name in names if name.endswith(_NOTE)]
    found = [minutes for minutes in noted if minutes is not None]
    return sum(found) if found else None


def _noted(path: str) -> Optional[float]:
    """The number in a note of minutes; None where there is none, as in one that is being written."""
    try:
        with open(path, encoding="utf-8") as stream:
            return float(stream.read())
    except (OSError, ValueError):
        return None


def write_summary(out: str, summary: Any) -> str:
    """Write OUT/summary.json, whole or not at all. Returns its path. Raises InputError when it cannot be written."""
    path = os.path.join(out, "summary.json")
    write_json(path, summary, indent=2)
    return path
