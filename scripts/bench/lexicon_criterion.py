#!/usr/bin/env python
"""Does what a lexicon says of itself, with no dictionary at hand, rank lexicons as their true precision does?

    python scripts/bench/lexicon_criterion.py --pair en=train.en,de=train.de --pair en=train.en,fr=train.fr --json FILE

Induces lexicons of unlike worth from every pair of languages: from a twentieth, a fifth and all of the text, from words
spelt alike and from ranks alone, and with no prior of ranks. What has no need of a dictionary: the agreement of the
restarts; the share of running words whose best partner chooses them too; the mean similarity of mutual pairs. What has:
the share of running words whose best partner is right, by the dictionary that aligned text gives. Prints all of them,
and Spearman's rank correlation of each criterion with the precision, for every pair and over all.

The two files of a pair are aligned line by line: one half of the lines is taken in the first language, the other in the
second. Text that is not aligned is given with a smaller one that is: --pair en=FILE,ro=FILE,en=DEV,ro=DEV.
"""

import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from scipy.stats import spearmanr
from tqdm import tqdm

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.languages import check_code
from crossinit_fairseq.lexicon import Lexicon
from crossinit_fairseq.lexicon.cooccurrence import count_text_cooccurrence
from crossinit_fairseq.lexicon.dictionary_from_aligned import dictionary_from_aligned
from crossinit_fairseq.lexicon.evaluation import evaluate
from crossinit_fairseq.lexicon.induction import Induction, InductionSettings, induce
from crossinit_fairseq.lexicon.lexicon_file import FORWARD, running_words_key
from crossinit_fairseq.text_files import read_lines, whole_number

SHARES = (0.05, 0.2, 1.0)  # of the text
STARTS: Dict[str, Dict[str, Any]] = {
    "strings": {},
    "strings, no rank prior": {"rank_weight": 0.0},
    "ranks": {"anchors": "ranks", "spelling_weight": 0.0},
}
CRITERIA = ("agreement", "mutual share", "mean similarity")
PRECISION = "P@1"


class Texts(NamedTuple):
    """Lines of two languages to induce a lexicon from, and aligned ones to judge it by."""

    languages: Tuple[str, str]
    text: Tuple[List[str], List[str]]
    aligned: Tuple[List[str], List[str]]


def read_texts(option: str) -> Texts:
    """Read what --pair names. Raises InputError when it is malformed or a file cannot be used."""
    named = [part.partition("=") for part in option.split(",")]
    languages = [check_code(language) for language, _, _ in named]
    if len(named) not in (2, 4) or not all(path for _, _, path in named) or languages[2:] not in ([], languages[:2]):
        raise InputError(f"--pair is A=FILE,B=FILE or A=FILE,B=FILE,A=ALIGNED,B=ALIGNED, not {option}")
    lines = [read_lines(path) for _, _, path in named]
    aligned = (lines[-2], lines[-1])
    if len(aligned[0]) != len(aligned[1]):
        raise InputError(
            f"{named[-2][2]} has {len(aligned[0]):,} lines and {named[-1][2]} {len(aligned[1]):,}: they are not "
            "aligned; add two smaller files that are"
        )
    text = halves(aligned) if len(named) == 2 else (lines[0], lines[1])
    return Texts((languages[0], languages[1]), text, aligned)


def halves(aligned: Tuple[Sequence[str], Sequence[str]], seed: int = 0) -> Tuple[List[str], List[str]]:
    """One half of the lines in the first language, the other half in the second, drawn at random."""
    order = list(range(len(aligned[0])))
    random.Random(seed).shuffle(order)
    middle = len(order) // 2
    return [aligned[0][line] for line in order[:middle]], [aligned[1][line] for line in order[middle:]]


def induced(texts: Texts, share: float, seed: int, start: Dict[str, Any]) -> Tuple[Induction, Lexicon]:
    """Induce from the first lines of both texts. Returns what was found and its lexicon, with a header to evaluate by.

    Raises InputError where the text is too small.
    """
    with tempfile.TemporaryDirectory() as folder:
        counts = []
        for language, lines in zip(texts.languages, texts.text):
            path = Path(folder) / language
            path.write_text("".join(line + "\n" for line in lines[: int(share * len(lines))]), "utf-8")
            counts.append(count_text_cooccurrence([str(path)], language))
    induction = induce(counts[0], counts[1], InductionSettings(seed=seed, **start), progress=False)
    header = {"lowercase": "yes"}
    header.update({running_words_key(language): str(count.total) for language, count in zip(texts.languages, counts)})
    return induction, Lexicon(*texts.languages, induction.lexicon.pairs, header)


def figures(induction: Induction, lexicon: Lexicon, dictionary: Dict[str, Any]) -> Dict[str, float]:
    """The criteria and the precision of one lexicon."""
    mutual = lexicon.mutual()
    running = sum(pair.counts[0] for pair in mutual)
    chosen = running + sum(pair.counts[0] for pair in lexicon.pairs if pair.found == FORWARD)
    return {
        "agreement": induction.agreement,
        "mutual share": running / chosen,
        "mean similarity": sum(pair.counts[0] * pair.score for pair in mutual) / running,
        PRECISION: evaluate(lexicon, dictionary).at_1.by_running_words or 0.0,
    }


def correlations(rows: Sequence[Dict[str, Any]]) -> Dict[str, Optional[float]]:
    """{criterion: Spearman's rho with the precision}; None of fewer than four lexicons, or where nothing varies."""
    found: Dict[str, Optional[float]] = {}
    for criterion in CRITERIA:
        values, precision = ([row[name] for row in rows] for name in (criterion, PRECISION))
        varied = len(rows) >= 4 and len(set(values)) > 1 and len(set(precision)) > 1
        found[criterion] = round(float(spearmanr(values, precision)[0]), 3) if varied else None
    return found


def study(pairs: Sequence[Texts], seeds: Sequence[int]) -> Dict[str, Any]:
    """All lexicons, and how they are ranked: {"lexicons": rows, "spearman": {pair or "all": {criterion: rho}}}."""
    rows: List[Dict[str, Any]] = []
    runs = [(texts, start, share, seed) for texts in pairs for start in STARTS for share in SHARES for seed in seeds]
    dictionaries: Dict[Tuple[str, str], Any] = {}
    for texts, start, share, seed in tqdm(runs, unit="lexicon", disable=not sys.stderr.isatty()):
        if texts.languages not in dictionaries:
            dictionaries[texts.languages] = dictionary_from_aligned(*texts.aligned, texts.languages, True)[0]
        row: Dict[str, Any] = {"pair": "-".join(texts.languages), "start": start, "share": share, "seed": seed}
        try:
            row.update(figures(*induced(texts, share, seed, STARTS[start]), dictionaries[texts.languages]))
        except InputError as error:
            print(f"{row['pair']}, {start}, {share:.0%} of the text: left out: {error}", file=sys.stderr)
            continue
        rows.append(row)
    rho = {
        pair: correlations([row for row in rows if row["pair"] == pair]) for pair in {row["pair"]: 0 for row in rows}
    }
    return {"lexicons": rows, "spearman": {**rho, "all": correlations(rows)}}


def show(found: Dict[str, Any]) -> None:
    """Print both tables, as Markdown."""
    names = CRITERIA + (PRECISION,)
    print("| pair | start | of the text | seed | " + " | ".join(names) + " |\n" + "| --- " * (4 + len(names)) + "|")
    for row in found["lexicons"]:
        values = " | ".join(f"{row[name]:.3f}" for name in names)
        print(f"| {row['pair']} | {row['start']} | {row['share']:.0%} | {row['seed']} | {values} |")
    print(
        f"\n| Spearman's rho with {PRECISION} | " + " | ".join(CRITERIA) + " |\n" + "| --- " * (1 + len(CRITERIA)) + "|"
    )
    for pair, rho in found["spearman"].items():
        print(f"| {pair} | " + " | ".join("-" if rho[name] is None else f"{rho[name]:.2f}" for name in CRITERIA) + " |")


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Run the study."""
    parser = CommandParser(description=__doc__)
    parser.add_argument("--pair", action="append", required=True, metavar="A=FILE,B=FILE[,A=FILE,B=FILE]")
    parser.add_argument("--seeds", default="1", metavar="LIST", help="such as 1,2,3 (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file too")
    options = parser.parse_args(arguments)
    with one_sentence():
        seeds = [whole_number(seed) for seed in options.seeds.split(",")]
        if None in seeds:
            raise InputError(f"--seeds takes whole numbers and commas, not {options.seeds}")
        found = study([read_texts(pair) for pair in options.pair], [seed for seed in seeds if seed is not None])
        if not found["lexicons"]:
            raise InputError("no lexicon could be induced from these texts, see above: give more text")
        show(found)
        if options.json:
            with complete_file(options.json) as path:
                Path(path).write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
