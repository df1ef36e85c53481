"""Cleaning the text of one language: one file out, in random order, and a count of all that was dropped."""

import os
from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Sequence, Set, Tuple

from tqdm import tqdm

from crossinit_fairseq.complete_files import check_new_file, complete_file, write_json
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.markup import recognise_markup, unescape
from crossinit_fairseq.preparation.line_filter import OVERLONG, LineFilter
from crossinit_fairseq.preparation.normaliser import LineNormaliser, comparable
from crossinit_fairseq.preparation.ordered_map import ordered_map
from crossinit_fairseq.preparation.shuffling import Buckets, number_of
from crossinit_fairseq.preparation.tally import EXAMPLES, Counts, Tally, add_up, example
from crossinit_fairseq.ranks.text.sources import Block, Source, find_sources, read_blocks, warn_of_markup

BLOCK = 1 << 20  # bytes of text at a time and worker
_EXPANSION = 6  # compressed text becomes about this much larger
_TAKEN_ALL_THE_SAME = "the output of WikiExtractor"  # its tags stand on lines of their own, which are dropped
_worker: Dict[str, Any] = {}


@dataclass(frozen=True)
class CleaningSettings:
    """What becomes of the lines.

    language: its code; keep_out: files whose lines must not be in the output; max_lines: at most so many, at random;
    words: (least, most) words of a line; max_chars, max_word_chars: most characters of a line and of a word;
    language_filter: whether other languages and scripts are dropped; seed: of the order; workers: processes.
    """

    language: str
    keep_out: Sequence[str]
    max_lines: Optional[int]
    words: Tuple[int, int]
    max_chars: int
    max_word_chars: int
    language_filter: bool
    seed: int
    workers: int


def clean(inputs: Sequence[str], output: str, counts: str, settings: CleaningSettings) -> Dict[str, Any]:
    """Write the clean text of files and globs to `output`, and a report as JSON to `counts`; returns the report.

    Lines count as equal, among themselves and with lines of `keep_out`, if they have the same letters and digits. The
    text never has to fit in memory; it needs as much room on disk again, beside the output, until it is done. Raises
    InputError for text in another language or encoding, for what is no text yet, and when no line is left.
    """
    sources = find_sources(inputs)
    for path in (output, counts):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        check_new_file(path, [source.path for source in sources] + list(settings.keep_out))
    normaliser = LineNormaliser(settings.language)
    line_filter = LineFilter(
        settings.language,
        settings.words,
        settings.max_chars,
        settings.max_word_chars,
        settings.language_filter,
        _comparable_lines(settings.keep_out, normaliser),
    )
    tallies = [Tally(source.name, settings.language) for source in sources]
    # the counts first: where the text is, they are too
    with complete_file(output) as text_path:
        with Buckets(output + ".parts", sum(map(_text_size, sources))) as buckets:
            prepared = (normaliser, line_filter, buckets, settings.seed)
            total = sum(source.size() for source in sources)
            with tqdm(total=total or None, unit="B", unit_scale=True, disable=None) as bar:
                bar.set_description("cleaning " + settings.language)
                for source, size, counted, packed in ordered_map(
                    _prepare, prepared, _clean, _blocks(sources), settings.workers
                ):
                    tallies[source].add(counted)
                    buckets.add(packed)
                    bar.update(size)
            for tally in tallies:
                tally.check()
            _write(buckets, tallies, text_path, settings.max_lines)
        report: Dict[str, Any] = {"lang": settings.language, "seed": settings.seed, "max_lines": settings.max_lines}
        report.update(add_up(tallies))
        report["remarks"] = [remark for tally in tallies for remark in tally.remarks()]
        if not report["lines"]:
            dropped = ", ".join(f"{reason} {count:,}" for reason, count in report["dropped"].items())
            raise InputError(
                f"no line of {' '.join(inputs)} is left; dropped: {dropped}"
                if dropped
                else f"{' '.join(inputs)} has no line: give text of one sentence a line"
            )
        write_json(counts, report)
    return report


def _text_size(source: Source) -> int:
    compressed = source.path.endswith((".gz", ".xz", ".zst", ".bz2"))
    return source.size() * (_EXPANSION if compressed else 1)


def _comparable_lines(paths: Sequence[str], normaliser: LineNormaliser) -> Set[str]:
    """The lines of files, as `comparable` has them."""
    found: Set[str] = set()
    for source in find_sources(paths) if paths else []:
        for block in read_blocks(source, BLOCK):
            found.update(map(comparable, normaliser(_decode(block, "strict")).split("\n")))
    return found - {""}


def _blocks(sources: Sequence[Source]) -> Iterator[Tuple[int, Block, int]]:
    """Yield (number of the source, block, bytes read for it). Raises InputError for a file that is no text yet."""
    for number, source in enumerate(sources):
        read = 0
        for block in read_blocks(source, BLOCK):
            if block.line == 0:
                beginning = block.data[: 1 << 16].decode("utf-8", "replace")
                kind = recognise_markup(beginning)
                if kind and kind.name != _TAKEN_ALL_THE_SAME:
                    raise InputError(f"{source.name} is {kind.name}, not text of one sentence a line: {kind.remedy}")
                warn_of_markup(beginning, source.name)
            yield number, block, block.position - read
            read = block.position


def _decode(block: Block, errors: str) -> str:
    try:
        return block.data.decode("utf-8-sig" if block.line == 0 else "utf-8", errors)
    except UnicodeDecodeError:
        raise block.invalid_utf8() from None


def _prepare(normaliser: LineNormaliser, line_filter: LineFilter, buckets: Buckets, seed: int) -> None:
    _worker.update(normaliser=normaliser, line_filter=line_filter, buckets=buckets, seed=seed)


def _clean(item: Tuple[int, Block, int]) -> Tuple[int, int, Counts, Dict[int, bytes]]:
    """In a worker: judge a block's lines. Returns its source, size, Counts, and lines for Buckets.add."""
    source, block, size = item
    text = _decode(block, "replace")
    lines = _normalised(text[:-1] if text.endswith("\n") else text)
    reasons, guesses = _worker["line_filter"](lines)
    dropped: "Counter[str]" = Counter()
    examples: Dict[str, List[Dict[str, Any]]] = {}
    for number, reason in enumerate(reasons, 1 + block.line):
        if reason:
            dropped[reason] += 1
            if dropped[reason] <= EXAMPLES:
                examples.setdefault(reason, []).append(example(lines[number - 1 - block.line], number))
    words = sum(len(line.split()) for line in lines)
    unescaped = sum(unescape(line) != line for line in text.split("\n")) if "&" in text else 0
    kept = [line for line, reason in zip(lines, reasons) if reason is None]
    numbers = [number_of(comparable(line), _worker["seed"]) for line in kept]
    counts = Counts(len(lines), words, unescaped, dropped, examples, Counter(guess for guess in guesses if guess))
    return source, size, counts, _worker["buckets"].pack(source, numbers, kept)


def _normalised(text: str) -> List[str]:
    """The lines of a text, normalised but for those so long that they are dropped unseen."""
    longest = OVERLONG * _worker["line_filter"].characters
    lines = text.split("\n")
    if max(map(len, lines)) <= longest:
        return _worker["normaliser"](text).split("\n")
    short = _worker["normaliser"]("\n".join(line if len(line) <= longest else "" for line in lines)).split("\n")
    return [line if len(line) > longest else one for line, one in zip(lines, short)]


def _write(buckets: Buckets, tallies: Sequence[Tally], path: str, most: Optional[int]) -> None:
    """Write the first `most` different lines of the buckets."""
    written = 0
    with open(path, "w", encoding="utf-8", newline="\n") as stream:
        for source, line, first in buckets:
            if not first:
                tallies[source].drop("repeated", line)
            elif written == most:
                tallies[source].drop("over --max-lines", line)
            else:
                stream.write(line + "\n")
                written += 1
                tallies[source].keep(line)
