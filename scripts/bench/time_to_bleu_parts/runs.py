"""What the logs of examples/captions say of a run: BLEU of each direction by updates and minutes."""

import json
import re
import statistics
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Dict, List, Optional

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.run_summary import stage_minutes
from crossinit_fairseq.text_files import unreadable

STAMP = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
VALID = re.compile(r"\| valid \| (\{.*\})")
RESUMED = re.compile(r"Loaded checkpoint .* @ (\d+) updates\)")
DIRECTION = re.compile(r"valid_bleu_(\w+-\w+)")
# what a run does before its training; the rest of its stages only measures
BEFORE = ("lexicon", "table")


@dataclass(frozen=True)
class Point:
    """A validation: updates and minutes by the clock since training began, {direction: BLEU}."""

    updates: int
    minutes: float
    bleu: Dict[str, float]


@dataclass(frozen=True)
class Run:
    """init, seed: as examples/captions names them; before: minutes of the stages before training, by the clock."""

    folder: Path
    init: str
    seed: str
    before: float
    points: List[Point] = field(repr=False)

    def first(self, bleu: float, directions: List[str]) -> Optional[int]:
        """The place of the first validation at which all of some directions have a BLEU; None if there is none."""
        for place, point in enumerate(self.points):
            if all(point.bleu[direction] >= bleu for direction in directions):
                return place
        return None


def read_run(folder: Path) -> Run:
    """A folder of OUT/runs. Raises InputError when its log cannot be read, has no validation, or is of a training that
    was resumed: the log of what went before is gone."""
    init, _, seed = folder.name.rpartition("-")
    path = folder / "logs" / "translation.log"
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise unreadable(str(path), error) from None
    began, points = None, []
    for line in lines:
        stamp = STAMP.match(line)
        if stamp is None:
            continue
        at = datetime.strptime(stamp.group(1), "%Y-%m-%d %H:%M:%S")
        began = began or at
        resumed = RESUMED.search(line)
        if resumed and int(resumed.group(1)):
            raise InputError(f"{path} is of a training that was resumed at update {resumed.group(1)}: time a whole one")
        found = VALID.search(line)
        if found:
            point = _point(found.group(1), (at - began).total_seconds() / 60)
            points += [point] if point else []
    if not points:
        raise InputError(f"{path} has no validation with BLEU: give a run of examples/captions")
    return Run(folder, init, seed, stage_minutes(str(folder), BEFORE)["total"], points)


def _point(text: str, minutes: float) -> Optional[Point]:
    """None for a line that was cut short."""
    try:
        statistics_ = json.loads(text)
        bleu = {
            match.group(1): float(value)
            for key, value in statistics_.items()
            for match in [DIRECTION.fullmatch(key)]
            if match
        }
        return Point(int(float(statistics_["valid_num_updates"])), minutes, bleu) if bleu else None
    except (ValueError, KeyError):
        return None


def median_minutes(minutes: List[Optional[float]]) -> Optional[float]:
    """The median over runs, None standing for never; None where that is so of half of them."""
    middle = statistics.median([float("inf") if one is None else one for one in minutes])
    return None if middle == float("inf") else round(middle, 2)
