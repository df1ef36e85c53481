"""crossinit-retrieve: whether a checkpoint's states find translations, without any fine-tuning."""

import argparse
import json
import sys
from itertools import combinations
from typing import Any, Dict, List, Optional

from crossinit_fairseq.cli import command
from crossinit_fairseq.cli.command import format_columns, positive
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import check_new_file, complete_file
from crossinit_fairseq.errors import InputError

_ABOUT = """\
Sentence retrieval between aligned files and word retrieval against MUSE dictionaries, by CSLS of means over sub-tokens:
of their rows in the token table, and of the states of each layer (layer 0: table, places and language, normalised). For
checkpoints of crossinit_pretrain, of crossinit_mlm and of fine-tuning."""

_EXAMPLES = """\
example:
  crossinit-retrieve data-bin --path checkpoints/mlm/checkpoint_last.pt --sentences en=dev.en --sentences de=dev.de \\
    --words en-de=en-de.5000-6500.txt --json retrieval.json

Sentences: percent of the lines whose nearest line of the other file is their translation, mean of both directions.
Words: percent of the source words whose nearest word, among the target words of the dictionary, is a translation.
--json has a figure for the table, then one for each layer. It also holds `hits`: for each of them a text of 1 (found)
and 0, a digit for each sentence of the first language, then for each of the second; or for each source word, in the
dictionary's order."""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; returns the exit status: 0, or 1 after one sentence on stderr. Wrong usage exits with 2."""

    def work() -> None:
        parser = _parser()
        options = parser.parse_args(arguments)
        if not options.sentences and not options.words:
            parser.error("give --sentences or --words")
        if not options.sentences:
            parser.refuse(["--max-sentences"], "without --sentences")
        _run(options)

    return command.run("crossinit-retrieve", work)


def _parser() -> CommandParser:
    parser = CommandParser(prog="crossinit-retrieve", description=_ABOUT, epilog=_EXAMPLES)
    parser.add_argument("data", metavar="DATA", help="folder with dict.txt")
    parser.add_argument("--path", required=True, metavar="FILE", help="the checkpoint")
    parser.add_argument("--pieces", metavar="FILE", help="SentencePiece model (default: DATA/spm.model)")
    parser.add_argument(
        "--sentences", action="append", default=[], metavar="LANG=FILE", help="aligned; for each language"
    )
    parser.add_argument("--words", action="append", default=[], metavar="SRC-TGT=FILE", help="a MUSE dictionary")
    parser.add_argument(
        "--max-sentences", type=positive, default=1000, metavar="N", help="lines (default: %(default)s)"
    )
    parser.add_argument(
        "--max-tokens", type=positive, default=8192, metavar="N", help="of a batch (default: %(default)s)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file too")
    return parser


def _run(options: argparse.Namespace) -> None:
    import numpy as np

    from crossinit_fairseq.cli.retrieve_states import States
    from crossinit_fairseq.finetuning.language_files import language_file, unique
    from crossinit_fairseq.finetuning.retrieval import (
        dictionary_hits,
        read_aligned,
        read_translations,
        retrieval_hits,
    )
    from crossinit_fairseq.languages import language_pair

    if options.json:
        check_new_file(options.json, [options.path])
    aligned = {}
    if options.sentences:
        aligned = read_aligned(
            unique([language_file(text, "--sentences") for text in options.sentences], "--sentences")
        )
    words = {}
    for text in options.words:
        named, equals, path = text.partition("=")
        if not equals or not path:
            raise InputError(f"--words takes SRC-TGT=FILE, such as en-de=en-de.txt, not {text!r}")
        pair = language_pair(named)
        if pair in words:
            raise InputError(f"--words names {named} twice: give one dictionary for each pair")
        words[pair] = read_translations(path, pair)
    states = States(options.data, options.path, options.pieces, options.max_tokens)
    hits: Dict[str, Dict[str, List[np.ndarray]]] = {"sentences": {}, "words": {}}
    vectors = {name: states.of(lines[: options.max_sentences], name) for name, lines in aligned.items()}
    for first, second in combinations(vectors, 2):
        both = [retrieval_hits(left, right) for left, right in zip(vectors[first], vectors[second])]
        hits["sentences"][f"{first}-{second}"] = [np.concatenate(pair) for pair in both]
    for (source, target), (left, right, translations) in words.items():
        layers = zip(states.of(left, source), states.of(right, target))
        hits["words"][f"{source}-{target}"] = [dictionary_hits(a, b, translations) for a, b in layers]
    result: Dict[str, Dict[str, List[float]]] = {
        group: {pair: [100 * float(layer.mean()) for layer in layers] for pair, layers in pairs.items()}
        for group, pairs in hits.items()
    }
    if options.json:
        with complete_file(options.json) as part, open(part, "w", encoding="utf-8") as stream:
            json.dump(dict(result, hits=_as_digits(hits)), stream, indent=1)
            stream.write("\n")
    print(_table(result))


def _as_digits(hits: Dict[str, Dict[str, List[Any]]]) -> Dict[str, Dict[str, List[str]]]:
    """Each layer as a text of 1 for a hit and 0 for none: of sentences those of the first language come first.

    hits: by kind and pair, bool [N] for each layer.
    """
    return {
        group: {pair: ["".join("01"[int(hit)] for hit in layer) for layer in layers] for pair, layers in pairs.items()}
        for group, pairs in hits.items()
    }


def _table(result: Dict[str, Dict[str, List[float]]]) -> str:
    columns = max(len(values) for group in result.values() for values in group.values())
    rows = [["", "", "table"] + [f"layer {k}" for k in range(columns - 1)]]
    for group, pairs in result.items():
        for pair, values in pairs.items():
            rows.append([group, pair] + [f"{value:.1f}" for value in values])
    return format_columns(rows)


if __name__ == "__main__":
    sys.exit(main())
