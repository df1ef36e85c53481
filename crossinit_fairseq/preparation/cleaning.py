"""Clean the monolingual text of one language: one file out, in random order, and a count of all that was dropped.

    python clean.py --lang ro --input 'text/mono/ro/*' --output clean/ro.txt --counts clean/ro.json \\
        --keep-out text/test.ro text/test.en text/dev.ro text/dev.en

Reads text of one sentence a line: UTF-8, plain, .gz, .xz, .zst or .bz2. Each line is normalised (see normalise.py),
then dropped for the first of these reasons that holds:

    empty; damaged characters; markup (tags, entities, wiki brackets); no letters; few letters (under half of what is
    no space); too few or too many words or characters; overlong word; another script; another language (py3langid,
    lines of 20 letters or more); in the test sets (--keep-out); repeated; over --max-lines

Lines count as equal, among themselves and with lines of --keep-out, if they have the same letters and digits: case,
punctuation and spaces do not matter. A line that is nearly, but not quite, a line of the test sets is not found.

The text never has to fit in memory. It needs as much room on disk again, beside the output, until it is done. The
output depends on the text, the options and the seed, not on the number of workers.
"""

import json
import os
from collections import Counter

from programs import InputError, cores, ordered_map, parser, run
from characters import LineNormaliser, comparable
from filters import LineFilter
from shuffling import Buckets, number_of
from tally import EXAMPLES, Tally, add_up, example
from tqdm import tqdm

from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.complete_files import check_new_file, complete_file
from crossinit_fairseq.ranks.text_sources import find_sources, read_blocks

BLOCK = 1 << 20  # bytes of text at a time and worker
_EXPANSION = 6  # compressed text becomes about this much larger
_worker = {}


def main(command=None):
    options = _options(command)
    sources = find_sources(options.input)
    for path in (options.output, options.counts):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        check_new_file(path, [source.path for source in sources] + options.keep_out)
    normaliser = LineNormaliser(options.lang)
    line_filter = LineFilter(
        options.lang,
        (options.min_words, options.max_words),
        options.max_chars,
        options.max_word_chars,
        options.language_filter,
        _comparable_lines(options.keep_out, normaliser),
    )
    tallies = [Tally(source.name, options.lang) for source in sources]
    # the counts first: where the text is, they are too
    with complete_file(options.output) as text_path:
        with Buckets(options.output + ".parts", sum(map(_text_size, sources))) as buckets:
            settings = (normaliser, line_filter, buckets, options.seed)
            total = sum(source.size() for source in sources)
            with tqdm(total=total or None, unit="B", unit_scale=True, disable=None) as bar:
                bar.set_description("cleaning " + options.lang)
                for source, size, counts, packed in ordered_map(
                    _prepare, settings, _clean, _blocks(sources), options.workers
                ):
                    tallies[source].add(*counts)
                    buckets.add(packed)
                    bar.update(size)
            for tally in tallies:
                tally.check()
            _write(buckets, tallies, text_path, options.max_lines)
        report = _report(options, tallies)
        with complete_file(options.counts) as path, open(path, "w", encoding="utf-8") as stream:
            json.dump(report, stream, ensure_ascii=False, indent=1)
            stream.write("\n")
    print("{}: {:,} of {:,} lines".format(options.output, report["lines"], report["lines_read"]))


def _options(command):
    arguments = parser(__doc__)
    arguments.add_argument("--lang", required=True, help="such as ro, ne, en or ro_RO")
    arguments.add_argument("--input", required=True, nargs="+", metavar="FILE", help="text files or globs in quotes")
    arguments.add_argument("--output", required=True, metavar="TXT")
    arguments.add_argument("--counts", required=True, metavar="JSON")
    arguments.add_argument(
        "--keep-out",
        nargs="+",
        default=[],
        metavar="FILE",
        help="dev and test sets, both sides: their lines are dropped",
    )
    arguments.add_argument("--max-lines", type=positive, metavar="N", help="keep N lines at random (default: all)")
    arguments.add_argument("--min-words", type=positive, default=1, metavar="N", help="(default: %(default)s)")
    arguments.add_argument("--max-words", type=positive, default=175, metavar="N", help="(default: %(default)s)")
    arguments.add_argument(
        "--max-chars", type=positive, default=2000, metavar="N", help="characters of a line (default: %(default)s)"
    )
    arguments.add_argument(
        "--max-word-chars", type=positive, default=60, metavar="N", help="characters of a word (default: %(default)s)"
    )
    arguments.add_argument(
        "--no-language-filter", dest="language_filter", action="store_false", help="keep other languages and scripts"
    )
    arguments.add_argument("--workers", type=positive, default=cores(), metavar="N", help="(default: all cores)")
    arguments.add_argument("--seed", type=int, default=1, help="of the order of the lines (default: %(default)s)")
    return arguments.parse_args(command)


def _text_size(source):
    compressed = source.path.endswith((".gz", ".xz", ".zst", ".bz2"))
    return source.size() * (_EXPANSION if compressed else 1)


def _comparable_lines(paths, normaliser):
    """The lines of files, as `comparable` has them."""
    found = set()
    for source in find_sources(paths) if paths else []:
        for block in read_blocks(source, BLOCK):
            found.update(map(comparable, normaliser(_decode(block, "strict")).split("\n")))
    return found - {""}


def _blocks(sources):
    for number, source in enumerate(sources):
        read = 0
        for block in read_blocks(source, BLOCK):
            yield number, block, block.position - read
            read = block.position


def _decode(block, errors):
    try:
        return block.data.decode("utf-8-sig" if block.line == 0 else "utf-8", errors)
    except UnicodeDecodeError:
        raise block.invalid_utf8() from None


def _prepare(normaliser, line_filter, buckets, seed):
    _worker.update(normaliser=normaliser, line_filter=line_filter, buckets=buckets, seed=seed)


def _clean(item):
    """In a worker: judge a block's lines. Returns its source, size, counts for Tally.add, lines for Buckets.add."""
    source, block, size = item
    text = _decode(block, "replace")
    lines = _worker["normaliser"](text[:-1] if text.endswith("\n") else text).split("\n")
    reasons, guesses = _worker["line_filter"](lines)
    dropped, examples = Counter(), {}
    for number, reason in enumerate(reasons, 1 + block.line):
        if reason:
            dropped[reason] += 1
            if dropped[reason] <= EXAMPLES:
                examples.setdefault(reason, []).append(example(lines[number - 1 - block.line], number))
    words = sum(len(line.split()) for line in lines)
    kept = [line for line, reason in zip(lines, reasons) if reason is None]
    numbers = [number_of(comparable(line), _worker["seed"]) for line in kept]
    counts = len(lines), words, dropped, examples, Counter(guess for guess in guesses if guess)
    return source, size, counts, _worker["buckets"].pack(source, numbers, kept)


def _report(options, tallies):
    """The counts, for JSON. Raises InputError if no line is left."""
    report = {"lang": options.lang, "seed": options.seed, "max_lines": options.max_lines}
    report.update(add_up(tallies))
    if not report["lines"]:
        raise InputError(
            "no line of {} is left; dropped: {}".format(" ".join(options.input), json.dumps(report["dropped"]))
        )
    return report


def _write(buckets, tallies, path, most):
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


if __name__ == "__main__":
    run(main, "clean.py")
