#!/usr/bin/env python
"""How well does round-trip BLEU, which needs no parallel data, rank the checkpoints of a run by their BLEU?

    python scripts/bench/checkpoint_correlation.py train.log

train.log: what `fairseq-train --task crossinit_unmt --log-format json` printed (or wrote to --log-file), with an
aligned valid split in the data folder. Prints, for the mean and for each direction, Spearman's rank correlation over
the validations of the run and the BLEU lost by choosing the checkpoint with the highest round-trip BLEU instead of the
best.
"""

import json
import os
import re
import sys

import numpy as np

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError

LEAST = 4  # with three checkpoints one order in six is the right one by chance


def validations(lines):
    """The validation entries of a log by update, one for each number of updates (the last one counts): list of dict."""
    found = {}
    for line in lines:
        match = re.search(r"\bvalid\b[^{]*(\{.*\})\s*$", line) or re.match(r"(\{.*\})\s*$", line)
        try:
            entry = json.loads(match.group(1)) if match else {}
        except ValueError:
            continue
        if "valid_num_updates" in entry:
            found[int(float(entry["valid_num_updates"]))] = entry
    return [found[update] for update in sorted(found)]


def ranks(values):
    """float [N] -> float [N]: 1 for the smallest; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def spearman(one, other):
    """Spearman's rho of two float [N]: the correlation of their ranks; nan when either is constant."""
    one, other = ranks(one), ranks(other)
    if one.std() == 0 or other.std() == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def compare(entries, by, against):
    """Compare two scores over the validations that have both. Returns a dict; rho is None for too few checkpoints."""
    both = [(e["valid_num_updates"], float(e[by]), float(e[against])) for e in entries if by in e and against in e]
    result = {"by": by, "against": against, "checkpoints": len(both), "rho": None}
    if len(both) >= LEAST:
        updates, chosen, real = zip(*both)
        pick, best = int(np.argmax(chosen)), int(np.argmax(real))
        result["rho"] = round(spearman(chosen, real), 3)
        result["chosen"] = {"update": updates[pick], against: real[pick]}
        result["best"] = {"update": updates[best], against: real[best]}
    return result


def describe(result):
    """A comparison as a sentence."""
    by, against = (result[side].replace("valid_", "") for side in ("by", "against"))
    count = result["checkpoints"]
    if result["rho"] is None:
        return (
            f"{by} against {against}: {count} checkpoints have both, too few to rank (at least {LEAST}): validate more "
            "often"
        )
    if np.isnan(result["rho"]):
        return f"{by} against {against}: one of them is the same at all {count} checkpoints: nothing to rank"
    chosen, best = result["chosen"], result["best"]
    return (
        f"{by} against {against}: Spearman's rho {result['rho']:.3f} over {result['checkpoints']} checkpoints; chosen: "
        f"update {chosen['update']} ({chosen[result['against']]:.2f}), best: update {best['update']} "
        f"({best[result['against']]:.2f})"
    )


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    parser.add_argument("log", help="log of fairseq-train with --log-format json; - for standard input")
    parser.add_argument("--from-update", type=int, default=0, help="leave out the validations before this update")
    parser.add_argument("--json", metavar="FILE", help="also write the figures to a file")
    options = parser.parse_args(arguments)
    try:
        with open(options.log, encoding="utf-8") if options.log != "-" else sys.stdin as stream:
            entries = validations(stream)
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"checkpoint_correlation: error: {options.log} cannot be read ({error})")
    entries = [entry for entry in entries if int(float(entry["valid_num_updates"])) >= options.from_update]
    if not any("valid_round_trip_bleu" in entry for entry in entries):
        sys.exit(
            f"checkpoint_correlation: error: {options.log} has no validation with a round_trip_bleu; it must be the "
            "log of a crossinit_unmt run with --log-format json"
        )
    if not any("valid_bleu" in entry for entry in entries):
        sys.exit(
            f"checkpoint_correlation: error: the validations in {options.log} have no bleu: the run had no aligned "
            "valid split"
        )
    directions = sorted(key for key in entries[-1] if re.match(r"valid_bleu_\S+-\S+$", key))
    results = [compare(entries, "valid_round_trip_bleu", key) for key in ["valid_bleu"] + directions]
    if options.json:
        try:
            with complete_file(options.json) as part, open(part, "w", encoding="utf-8") as stream:
                json.dump(results, stream, indent=1)
        except InputError as error:
            sys.exit(f"checkpoint_correlation: error: {error}")
    try:
        print("\n".join(map(describe, results)), flush=True)
    except BrokenPipeError:  # the reader, such as head, has seen enough; nor may Python try again when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
