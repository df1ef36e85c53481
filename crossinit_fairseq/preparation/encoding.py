"""Cutting clean text into pieces for fairseq-preprocess: held-out lines, training text in shards, dev and test."""

import os
from contextlib import ExitStack
from itertools import count
from typing import Callable, Dict, List, Sequence, Tuple

from tqdm import tqdm

from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.data.dictionary import read_symbols
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation.stage_files import batches, count_lines, lines_of, load_model
from crossinit_fairseq.ranks.sentencepiece_model import check_dictionary, check_same_model

_BATCH = 10000  # lines
Encode = Callable[[List[str]], List[str]]  # lines of text -> lines of pieces between spaces


def encode(
    languages: Sequence[str], model: str, text: str, out: str, valid: int, shards: int, workers: int
) -> Dict[str, Tuple[int, int]]:
    """Cut TEXT/LANG.txt of `clean` into pieces, and TEXT/dev.LANG and TEXT/test.LANG where there are such.

    Writes OUT/valid.LANG (the first `valid` lines, at most a tenth), OUT/K/train.LANG (the others in turns, K from 0 to
    shards - 1), OUT/dev.LANG and OUT/test.LANG. Returns {language: (lines to train on, lines held out)}. Raises
    InputError for text that is missing or too short, and for another model than that of a dictionary in OUT.
    """
    _check_vocabulary(model, out)
    cut = encoder(model, workers)
    paths = {language: os.path.join(text, language + ".txt") for language in languages}
    lines = {language: count_lines(path) for language, path in paths.items()}
    for language in languages:
        if lines[language] < 10 or lines[language] - lines[language] // 10 < shards:
            raise InputError(
                f"{paths[language]} has {lines[language]} lines: too few to hold out a tenth and make {shards} shards"
            )
    written = {}
    for language in languages:
        held_out = min(valid, lines[language] // 10)
        encode_text(cut, paths[language], lines[language], held_out, out, language, shards)
        remove_shards(out, language, shards)
        for name in ("dev", "test"):
            path = os.path.join(text, f"{name}.{language}")
            if os.path.exists(path):
                encode_file(cut, path, os.path.join(out, f"{name}.{language}"))
        written[language] = lines[language] - held_out, held_out
    return written


def _check_vocabulary(path: str, out: str) -> None:
    dictionary = os.path.join(out, "dict.txt")
    if os.path.isfile(dictionary):
        model = load_model(path)
        check_same_model(path, out)
        check_dictionary(model, path, read_symbols(dictionary), dictionary)


def encoder(path: str, workers: int) -> Encode:
    """A function from a list of lines to a list of lines of pieces between spaces. Raises InputError for no model."""
    model = load_model(path)
    return lambda lines: [" ".join(pieces) for pieces in model.encode(lines, out_type=str, num_threads=workers)]


def encode_text(cut: Encode, path: str, lines: int, valid: int, folder: str, language: str, shards: int) -> None:
    """Write valid.LANG and the shards' train.LANG of a file; all of them or none that is incomplete."""
    # all are closed before the first one gets its name
    with ExitStack() as files, ExitStack() as streams:
        targets = []
        for name in ["."] + [str(shard) for shard in range(shards)]:
            target = os.path.join(folder, name, ("train." if name != "." else "valid.") + language)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            part = files.enter_context(complete_file(os.path.normpath(target)))
            targets.append(streams.enter_context(open(part, "w", encoding="utf-8", newline="\n")))
        bar = files.enter_context(tqdm(total=lines, unit=" lines", disable=None))
        bar.set_description("encoding " + language)
        number = 0
        for batch in batches(lines_of(path), _BATCH):
            for line in cut(batch):
                shard = 0 if number < valid else 1 + (number - valid) % shards
                targets[shard].write(line + "\n")
                number += 1
            bar.update(len(batch))


def remove_shards(folder: str, language: str, shards: int) -> None:
    """Remove the shards from number `shards` on that an earlier run with more of them left."""
    for shard in count(shards):
        path = os.path.join(folder, str(shard), "train." + language)
        if not os.path.exists(path):
            break
        os.remove(path)


def encode_file(cut: Encode, path: str, target: str) -> None:
    """Write the lines of a file as pieces, one line for each."""
    with complete_file(target) as part:
        with open(part, "w", encoding="utf-8", newline="\n") as output:
            for batch in batches(lines_of(path), _BATCH):
                output.writelines(line + "\n" for line in cut(batch))
