"""What fairseq's JSON logs say of a training: a figure by updates."""

import json
import re
from dataclasses import dataclass
from typing import Dict, List, Sequence

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.text_files import unreadable

_STATISTICS = re.compile(r"\| (train_inner|train|valid) \| (\{.*)")


_UPDATES = {"train_inner": "num_updates", "train": "train_num_updates", "valid": "valid_num_updates"}


@dataclass(frozen=True)
class Curve:
    """A figure during a training. name: of the run; figure: its key; updates, values: lists of one length, rising
    updates; damaged: int, lines of statistics that could not be read and were passed over."""

    name: str
    figure: str
    updates: List[int]
    values: List[float]
    damaged: int = 0


def read_curve(name: str, path: str, figures: Sequence[str] = ("valid_coarse_loss", "valid_loss", "loss")) -> Curve:
    """The first of `figures` that a log of `fairseq-train --log-format json` has, with at least two points if any has.

    A run that was interrupted repeats updates, of which the last counts. Raises InputError for a file that cannot be
    read or holds none of the figures.
    """
    found: Dict[str, Dict[int, float]] = {figure: {} for figure in figures}
    damaged = 0
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as stream:
            for line in stream:
                match = _STATISTICS.search(line)
                if not match:
                    continue
                try:
                    statistics = json.loads(match.group(2))
                    kind = match.group(1)
                    updates = int(float(statistics[_UPDATES[kind]]))
                    for figure in figures:
                        if figure in statistics:
                            found[figure][updates] = float(statistics[figure])
                except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                    damaged += 1
    except OSError as error:
        raise unreadable(path, error) from None
    usable = [figure for figure in figures if found[figure]]
    if not usable:
        said = f", {damaged:,} of whose lines of statistics are damaged" if damaged else ""
        raise InputError(
            f"{path}{said} holds none of {', '.join(figures)}: give a log of fairseq-train --log-format json"
        )
    chosen = next((figure for figure in usable if len(found[figure]) > 1), usable[0])
    points = sorted(found[chosen].items())
    return Curve(name, chosen, [at for at, _ in points], [value for _, value in points], damaged)
