"""How fast Step 1, Sorting, is on one core, beside plain Python on the same text in the same run.

    python scripts/bench/rank_counting.py [--json FILE] [--megabytes 128] [--repeats 3]

Raw text is that of ../shared/data/mono, each language repeated to the size asked for, since a corpus worth waiting for
is larger; without the folder it is generated. The binarised text is generated. Rates are per second of CPU time of one
thread, so that other jobs on the machine disturb them less. Takes about a minute. `ratio` is of the repeated text, best
of --repeats; `ratio_once` of the text as it is, counted once, in a process that has counted nothing before: its first
second, which loads Polars and in which most words are new, is part of it.
"""

import json
import lzma
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "1"  # per core; read when Polars is imported

import numpy as np
import regex
from checkout import ROOT

from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.markup import unescape_bytes
from crossinit_fairseq.ranks import BinarisedText, TextWords, WordPieces, count_text, rank_words
from crossinit_fairseq.ranks.text.words import MAX_CHARACTERS

MONO = ROOT.parent / "shared" / "data" / "mono"
VOCABULARY, SLICE = 32000, 2_000_000


def main():
    parser = CommandParser(description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the numbers to this file")
    parser.add_argument("--megabytes", type=positive, default=128, help="of raw text in each language (default: 128)")
    parser.add_argument("--repeats", type=positive, default=3, help="(default: 3)")
    parser.add_argument("--mono", metavar="DIR", type=Path, default=MONO, help="general.LANG.txt.xz, other than above")
    parser.add_argument("--tokens", type=positive, default=20_000_000, help="of binarised text (default: 20000000)")
    options = parser.parse_args()
    result = {"text": {}}
    for language, once in texts(options.mono, options.megabytes):
        result["text"][language] = bench_text(language, once, options)
    result["ratio_once"] = {language: numbers["ratio_once"] for language, numbers in result["text"].items()}
    rates = [numbers["mb_per_s_per_core"] for numbers in result["text"].values()]
    result["mb_per_s_per_core"] = min(rates)
    print(f"raw text: {min(rates):.0f} MB/s a core in the slowest language")
    result["binarised"] = bench_binarised(options.tokens, options.repeats)
    result["binarised_tokens_per_s"] = result["binarised"]["tokens_per_s"]
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def texts(folder, megabytes):
    """Yield (language, bytes of text)."""
    found = sorted(folder.glob("general.*.txt.xz"))
    for path in found:
        yield path.name.split(".")[1], lzma.open(path).read()
    if not found:
        print(f"no {folder}: the text is generated", file=sys.stderr)
        words = np.random.default_rng(1).zipf(1.3, megabytes * 100_000)
        yield "en", " ".join(f"w{word % 10**6:x}" for word in words).encode() + b"\n"


def bench_text(language, once, options):
    copies = max(1, options.megabytes * 1_000_000 // len(once))
    size, whole = len(once) / 1e6, copies * len(once) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "text")
        Path(path).write_bytes(once * copies)
        fast, table = timed(lambda: count_text(path, language), options.repeats)
        Path(path).write_bytes(once)
        alone = seconds_in_new_process(path, language)
    plain, _ = unescape_bytes(once)
    slow, counts = timed(lambda: count_in_python(plain, language), 1)
    numbers = {
        "megabytes": whole,
        "mb_per_s_per_core": whole / fast.cpu[0],
        "mb_per_s_per_core_median": whole / statistics.median(fast.cpu),
        "mb_per_s_elapsed": whole / fast.elapsed[0],
        "mb_per_s_per_core_not_repeated": size / alone,
        "python_mb_per_s_per_core": size / slow.cpu[0],
        "ratio": whole / fast.cpu[0] / (size / slow.cpu[0]),
        "ratio_once": slow.cpu[0] / alone,
        "same_counts": dict(zip(table.words, (table.counts // copies).tolist())) == counts,
    }
    print(
        "{}: {:.0f} MB/s of CPU time, best of {} ({:.0f} median; {:.0f} elapsed) over {:.0f} MB, {:.0f} over the "
        "{:.0f} MB not repeated; Counter with the same pattern: {:.0f}; {:.1f} times as fast, {:.1f} times on text "
        "counted once; counts {}".format(
            language,
            numbers["mb_per_s_per_core"],
            options.repeats,
            numbers["mb_per_s_per_core_median"],
            numbers["mb_per_s_elapsed"],
            whole,
            numbers["mb_per_s_per_core_not_repeated"],
            size,
            numbers["python_mb_per_s_per_core"],
            numbers["ratio"],
            numbers["ratio_once"],
            "equal" if numbers["same_counts"] else "DIFFER",
        ),
        flush=True,
    )
    return numbers


def seconds_in_new_process(path, language):
    """CPU time of counting a file once where nothing has been counted before."""
    code = (
        "import sys, time; from crossinit_fairseq.ranks import count_text; begin = time.process_time(); "
        "count_text(sys.argv[1], sys.argv[2]); print(time.process_time() - begin)"
    )
    command = [sys.executable, "-c", code, path, language]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=str(ROOT)).stdout)


def count_in_python(text, language):
    """A Counter of the words of text without entities, by the pattern that count_text uses."""
    words = TextWords(language)
    pattern = regex.compile(words.pattern)
    counts = Counter()
    for line in text.decode("utf-8").splitlines():
        counts.update(pattern.findall(words.normalise(line)))
    return Counter({word: count for word, count in counts.items() if len(word) <= MAX_CHARACTERS})


def bench_binarised(count, repeats):
    """Zipf's law over words, 65 % of whose occurrences are single sub-tokens; sentences of 25 sub-tokens."""
    symbols = ["\u2581" * (index % 2) + f"p{index}" for index in range(VOCABULARY)]
    pieces = WordPieces(symbols)
    random = np.random.default_rng(1)
    starts = np.arange(1, VOCABULARY, 2)
    words = count * 10 // 14
    lengths = random.choice([1, 2, 3, 4], words, p=[0.65, 0.22, 0.09, 0.04])
    ends = np.cumsum(lengths)
    keep = ends <= count
    lengths, ends = lengths[keep], ends[keep]
    # the later sub-tokens of a word go with its first one, so that long words repeat as real ones do
    first = np.minimum(random.zipf(1.2, len(lengths)) % len(starts), len(starts) - 1)
    tokens = np.repeat(first, lengths)
    inside = np.arange(len(tokens)) - np.repeat(ends - lengths, lengths)
    tokens = np.where(inside == 0, starts[tokens], 2 * ((tokens * 7 + inside * 131) % (VOCABULARY // 2))).astype(
        np.uint16
    )
    text = BinarisedText(tokens, sentences(len(tokens)))
    fast, _ = timed(lambda: rank_words([text], pieces), repeats)
    part = tokens[:SLICE]
    slow, counts = timed(lambda: rank_in_python(part.tolist(), pieces), 1)
    ranked = rank_words([BinarisedText(part, sentences(len(part)))], pieces)
    same = {tuple(ranked.word(at).tolist()): int(ranked.counts[at]) for at in range(len(ranked))} == counts
    numbers = {
        "tokens": len(tokens),
        "tokens_per_s": len(tokens) / fast.cpu[0],
        "tokens_per_s_median": len(tokens) / statistics.median(fast.cpu),
        "python_tokens_per_s": len(part) / slow.cpu[0],
        "same_counts": same,
    }
    numbers["ratio"] = numbers["tokens_per_s"] / numbers["python_tokens_per_s"]
    print(
        "binarised: {:.1f} million sub-tokens/s of CPU time, best of {} ({:.1f} median) over {:.0f} million; "
        "plain Python on {:.0f} million: {:.1f}; {:.1f} times as fast; counts {}".format(
            numbers["tokens_per_s"] / 1e6,
            repeats,
            numbers["tokens_per_s_median"] / 1e6,
            len(tokens) / 1e6,
            len(part) / 1e6,
            numbers["python_tokens_per_s"] / 1e6,
            numbers["ratio"],
            "equal" if same else "DIFFER",
        )
    )
    return numbers


def sentences(tokens):
    return np.diff(np.append(np.arange(0, tokens, 25), tokens)).astype(np.int32)


def rank_in_python(tokens, pieces):
    in_word, starts = pieces.in_word.tolist(), pieces.starts.tolist()
    counts, word = Counter(), []
    for token in tokens:
        if starts[token] or not in_word[token]:
            counts[tuple(word)] += 1
            word = []
        if in_word[token]:
            word.append(token)
    counts[tuple(word)] += 1
    del counts[()]
    return counts


class Seconds:
    """Seconds of several runs, the shortest first: of CPU time and elapsed."""

    def __init__(self):
        self.cpu, self.elapsed = [], []

    def add(self, cpu, elapsed):
        self.cpu, self.elapsed = sorted(self.cpu + [cpu]), sorted(self.elapsed + [elapsed])


def timed(function, repeats):
    """Seconds of every repeat, and the last result."""
    seconds = Seconds()
    for _ in range(repeats):
        cpu, elapsed = time.process_time(), time.perf_counter()
        result = function()
        seconds.add(time.process_time() - cpu, time.perf_counter() - elapsed)
    return seconds, result


if __name__ == "__main__":
    main()
