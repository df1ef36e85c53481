"""How fast words near each other are counted, and how long and in how much memory a lexicon is induced.

    python scripts/bench/lexicon.py [--json FILE] [--words 10000000] [--no-induction] [--mono DIR --langs en,ro]
    python scripts/bench/lexicon.py --device cuda [--size 50000] [--words 4000000] [--json FILE]

The text is generated, `--words` running words in each of two languages: Zipf's law, sentences with topics, 60,000
different words, some spelt alike in both. With --mono it is DIR/*.LANG.txt.xz, such as those of ../shared/data/mono.

tokens_per_s           running words a second and core, with a window of 15 over 20,000 words, of binarised text:
                       counting words, then their neighbours, from files to matrices
text_tokens_per_s      the same of raw text, which is read, cut into words and lower-cased twice
neighbours_per_s       counting neighbours alone, of words that are numbers already
python_tokens_per_s    plain Python that counts the same neighbours in dictionaries
induce_minutes         elapsed, for `crossinit-lexicon induce` from raw text: 20,000 words a side, 300 dimensions
induce_cpu_minutes     CPU time of that, all processes together: what is left to compare on a machine with other jobs
peak_gib               the most memory that took, all processes together (no less than it was: their peaks added up)

With --device only the induction is timed, of --size words a side, 300 dimensions, on that device and on the CPU, its
neighbours counted before: induce_seconds, by device; the pairs that both find: same_partners.

Rates are per second of CPU time of one thread, so that other jobs on the machine disturb them less; the best of
--repeats. The induction takes all cores.
"""

import argparse
import json
import lzma
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import checkout  # noqa: F401
import numpy as np

from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.command_line import CommandParser

SIZE, WINDOW, DIMENSIONS = 20000, 15, 300
VOCABULARY, TOPICS, WITHOUT_TOPIC, WHOLE = 60000, 200, 200, 3000
SLICE = 200_000  # running words for plain Python
_SYLLABLES = {"en": ("bdfglmnprstvkzh", "aeiou"), "ro": ("cjqwxbdfglmnprs", "ăâîșț"), "both": ("ktsrnlmpdgb", "aio")}


def main() -> None:
    parser = CommandParser(description=__doc__)
    parser.add_argument("--json", metavar="FILE", help="also write the numbers to this file")
    parser.add_argument(
        "--words", type=positive, default=10_000_000, help="running words a language (default: 10000000)"
    )
    parser.add_argument("--repeats", type=positive, default=2, help="of the counting (default: 2)")
    parser.add_argument("--no-induction", action="store_true", help="count only: a minute or two")
    parser.add_argument("--mono", metavar="DIR", help="take text from here instead of generating it")
    parser.add_argument("--langs", default="en,ro", metavar="LANG,LANG", help="of --mono (default: en,ro)")
    parser.add_argument("--device", help="time the induction on this device, such as cuda, and on the CPU")
    parser.add_argument("--size", type=positive, default=50_000, help="words a language, of --device (default: 50000)")
    parser.add_argument("--stage", choices=sorted(STAGES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.device:
        if options.mono or options.no_induction:
            parser.error(
                "--device makes up its text and times the induction: give it without --mono and --no-induction"
            )
        if options.size < 200 or options.words < 20_000:
            parser.error("--device wants a --size of 200 or more, and --words of 20000 or more")
    if options.stage:
        json.dump(STAGES[options.stage](options), sys.stdout)
        return
    with tempfile.TemporaryDirectory(prefix="crossinit-bench-") as folder:
        if options.device:
            result = on_devices(options)
        else:
            # each in a process of its own, so that no memory of one is counted for another
            run_stage("unpack" if options.mono else "generate", folder)
            result = run_stage("counting", folder, POLARS_MAX_THREADS="1", OMP_NUM_THREADS="1")
            if not options.no_induction:
                result.update(run_stage("induction", folder))
    for name, value in result.items():
        if isinstance(value, dict):
            print(f"{name:24}{', '.join(f'{key} {seconds:.1f}' for key, seconds in value.items())}")
            continue
        print(f"{name:24}{value:,.3f}" if isinstance(value, float) and value < 1000 else f"{name:24}{value:,.0f}")
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def run_stage(name: str, folder: str, **environment: str) -> Dict[str, Any]:
    command = [sys.executable, __file__] + sys.argv[1:] + ["--stage", name, "--folder", folder]
    done = subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads(done.stdout)


def generate(options: argparse.Namespace) -> Dict[str, Any]:
    """Write LANG.txt of both languages, and the first one's words as sub-tokens."""
    for seed, language in enumerate(("en", "ro")):
        ranks, lengths = draw_text(options.words, seed)
        words = np.array(spelt_words(language))
        with open(Path(options.folder, language + ".txt"), "w", encoding="utf-8") as stream:
            begin = 0
            for end in np.cumsum(lengths):
                stream.write(" ".join(words[ranks[begin:end]]).capitalize() + ".\n")
                begin = end
        if language == "en":
            write_tokens(options.folder, ranks, lengths)
    return {}


def draw_text(words: int, seed: int) -> Tuple[np.ndarray, np.ndarray]:
    """(words by their ranks, int [about `words`]; words of each sentence, int [S])."""
    share = 1 / (np.arange(VOCABULARY) + 2.7) ** 1.05
    random = np.random.default_rng(seed)
    lengths = 3 + random.poisson(20, words // 23)
    ranks = random.choice(VOCABULARY, size=lengths.sum(), p=share / share.sum())
    # half of the rarer words are words of the sentence's topic, of about the rank that was drawn
    topics = np.repeat(random.integers(0, TOPICS, len(lengths)), lengths)
    moved = (ranks >= WITHOUT_TOPIC) & (random.random(len(ranks)) < 0.5)
    ranks[moved] -= (ranks[moved] - topics[moved]) % TOPICS
    return ranks, lengths


def spelt_words(language: str) -> List[str]:
    """The words of a language by rank; every twentieth is a word of both."""
    return [spell(rank, "both" if rank % 20 == 7 else language) for rank in range(VOCABULARY)]


def spell(rank: int, language: str) -> str:
    """A word of consonants and vowels, another for every rank."""
    consonants, vowels = _SYLLABLES[language]
    word = ""
    while rank or not word:
        rank, vowel = divmod(rank, len(vowels))
        rank, consonant = divmod(rank, len(consonants))
        word += consonants[consonant] + vowels[vowel]
    return word + ("c" if language == "both" else "")


def write_tokens(folder: str, ranks: np.ndarray, lengths: np.ndarray) -> None:
    """The most frequent words, two in three running ones, are one sub-token, the others are two."""
    first = np.where(ranks < WHOLE, ranks, WHOLE + ranks // TOPICS)
    second = WHOLE + VOCABULARY // TOPICS + ranks % TOPICS
    cut = ranks >= WHOLE
    tokens = np.stack([first, np.where(cut, second, 0)], axis=1) + 4
    ends = np.zeros((len(ranks), 1), dtype=np.int64)
    ends[np.cumsum(lengths) - 1] = 2
    kept = np.concatenate([np.ones_like(cut)[:, None], cut[:, None], ends > 0], axis=1)
    np.save(Path(folder, "tokens.npy"), np.concatenate([tokens, ends], axis=1)[kept].astype(np.uint16))
    in_sentence = np.add.reduceat(kept.sum(axis=1), np.cumsum(lengths) - lengths)
    np.save(Path(folder, "lengths.npy"), in_sentence.astype(np.int32))


def unpack(options: argparse.Namespace) -> Dict[str, Any]:
    """Write LANG.txt of two languages from compressed files."""
    for language in options.langs.split(","):
        with open(Path(options.folder, language + ".txt"), "wb") as stream:
            for path in sorted(Path(options.mono).glob(f"*.{language}.txt.xz")):
                stream.write(lzma.open(path).read())
    return {}


def counting(options: argparse.Namespace) -> Dict[str, Any]:
    from crossinit_fairseq.lexicon.cooccurrence import count_binarised_cooccurrence, count_text_cooccurrence
    from crossinit_fairseq.ranks import BinarisedText, WordPieces

    language = options.langs.split(",")[0]
    path = str(Path(options.folder, language + ".txt"))
    # libraries are loaded once a process, not once a text
    Path(options.folder, "warm").write_text("a b c")
    count_text_cooccurrence(str(Path(options.folder, "warm")), language)
    seconds, found = timed(lambda: count_text_cooccurrence(path, language, size=SIZE, window=WINDOW), options.repeats)
    result = {"running_words": found.total, "text_tokens_per_s": found.total / seconds}
    result["pairs_of_words"] = found.window.nnz
    if options.mono:
        return result
    symbols = ["<s>", "<pad>", "</s>", "<unk>"] + ["\u2581w" + spell(rank, "en") for rank in range(WHOLE)]
    symbols += ["\u2581s" + spell(rank, "en") for rank in range(VOCABULARY // TOPICS)]
    symbols += ["e" + spell(rank, "en") for rank in range(TOPICS)]
    pieces = WordPieces(symbols, special=[0, 1, 2], unk=3)
    tokens, lengths = (np.load(Path(options.folder, name + ".npy"), mmap_mode="r") for name in ("tokens", "lengths"))
    text = [BinarisedText(tokens, np.asarray(lengths))]
    seconds, found = timed(
        lambda: count_binarised_cooccurrence(text, pieces, symbols, language, size=SIZE, window=WINDOW), options.repeats
    )
    result["tokens_per_s"] = found.total / seconds
    result.update(count_numbers(options, path, found.total))
    return result


def count_numbers(options: argparse.Namespace, path: str, total: int) -> Dict[str, float]:
    """The inner part alone, and plain Python beside it on a part of the text."""
    from crossinit_fairseq.lexicon.neighbour_counts import NeighbourCounter, Sentences

    with open(path, encoding="utf-8") as stream:
        lines = [line.lower().rstrip(".\n").split(" ") for line in stream]
    frequent = Counter(word for line in lines for word in line).most_common(SIZE)
    numbers = {word: number for number, (word, _) in enumerate(frequent)}
    parts: List[Sentences] = []
    for at in range(0, len(lines), 40000):
        some = lines[at : at + 40000]
        ids = np.array([numbers.get(word, SIZE) for line in some for word in line], dtype=np.int32)
        parts.append(Sentences(ids, np.array([len(line) for line in some])))

    def fast() -> Any:
        counter = NeighbourCounter(SIZE, WINDOW)
        for part in parts:
            counter.add(part)
        return counter.result()

    some = lines[: SLICE // 23]
    slow_seconds, slow = timed(lambda: count_slowly(some, numbers), 1)
    counter = NeighbourCounter(SIZE, WINDOW)
    ids = np.array([numbers.get(word, SIZE) for line in some for word in line], dtype=np.int32)
    counter.add(Sentences(ids, np.array([len(line) for line in some])))
    upper = counter.result().window.tocoo()
    same = len(slow) == upper.nnz and all(
        abs(slow[pair] - value / 720720) < 1e-6
        for *pair, value in zip(upper.row.tolist(), upper.col.tolist(), upper.data.tolist())
        for pair in [tuple(pair)]
    )
    if not same:
        sys.exit("plain Python counts other neighbours")
    seconds, _ = timed(fast, options.repeats)
    return {
        "neighbours_per_s": total / seconds,
        "python_tokens_per_s": sum(map(len, some)) / slow_seconds,
    }


def count_slowly(lines: List[List[str]], numbers: Dict[str, int]) -> Dict[Any, float]:
    sums: Dict[Any, float] = {}
    for line in lines:
        ids = [numbers.get(word, SIZE) for word in line]
        for at, one in enumerate(ids):
            for distance, other in enumerate(ids[at + 1 : at + 1 + WINDOW], 1):
                if one < SIZE and other < SIZE:
                    pair = (one, other) if one < other else (other, one)
                    sums[pair] = sums.get(pair, 0.0) + 1 / distance
    return sums


def induction(options: argparse.Namespace) -> Dict[str, Any]:
    from crossinit_fairseq.lexicon.cooccurrence import count_text_cooccurrence
    from crossinit_fairseq.lexicon.induction import InductionSettings, induce

    began = time.time()
    workers = os.cpu_count() or 1
    sides = [
        count_text_cooccurrence(
            str(Path(options.folder, language + ".txt")), language, size=SIZE, window=WINDOW, workers=workers
        )
        for language in options.langs.split(",")
    ]
    counted = time.time()
    found = induce(sides[0], sides[1], InductionSettings(words=SIZE, dimensions=DIMENSIONS))
    here, there = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    # kilobytes; a process that counts has no more than the largest of them
    peak = here.ru_maxrss + workers * there.ru_maxrss
    return {
        "count_minutes": (counted - began) / 60,
        "induce_minutes": (time.time() - began) / 60,
        "induce_cpu_minutes": sum(used.ru_utime + used.ru_stime for used in (here, there)) / 60,
        "peak_gib": peak / 2**20,
        "pairs": len(found.lexicon),
        "cores": workers,
    }


def on_devices(options: argparse.Namespace) -> Dict[str, Any]:
    """The induction on a device and on the CPU; --json is written after each."""
    from crossinit_fairseq.errors import one_sentence
    from crossinit_fairseq.lexicon.cooccurrence import count_binarised_cooccurrence
    from crossinit_fairseq.lexicon.induction import InductionSettings, induce
    from crossinit_fairseq.ranks import BinarisedText, WordPieces

    with one_sentence():
        InductionSettings(device=options.device).check()
    sides = []
    for seed, language in enumerate(("en", "ro")):
        ranks, lengths = draw_text(options.words, seed)
        # every word is one sub-token, and 2 ends a sentence
        tokens = np.insert(ranks + 4, np.cumsum(lengths), 2).astype(np.uint16)
        symbols = ["<s>", "<pad>", "</s>", "<unk>"] + ["\u2581" + word for word in spelt_words(language)]
        pieces = WordPieces(symbols, special=[0, 1, 2], unk=3)
        text = [BinarisedText(tokens, (lengths + 1).astype(np.int32))]
        sides.append(count_binarised_cooccurrence(text, pieces, symbols, language, size=options.size, window=WINDOW))
    result: Dict[str, Any] = {"words": min(map(len, sides)), "cores": os.cpu_count(), "induce_seconds": {}}
    partners = []
    # libraries are loaded once
    small = InductionSettings(words=200, learn_words=200, dimensions=20, rounds=1, restarts=1, device=options.device)
    induce(sides[0], sides[1], small, progress=False)
    for device in dict.fromkeys((options.device, "cpu")):
        began = time.time()
        found = induce(sides[0], sides[1], InductionSettings(words=options.size, dimensions=DIMENSIONS, device=device))
        result["induce_seconds"][device] = time.time() - began
        partners.append(found.lexicon.translations())
        print(f"{device}: {time.time() - began:.1f} s", file=sys.stderr)
        if options.json:
            Path(options.json).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    same = sum(partner == partners[-1].get(word) for word, partner in partners[0].items())
    return {**result, "same_partners": same / len(partners[0])}


def timed(run: Callable[[], Any], repeats: int) -> Any:
    """(seconds of CPU time of the fastest run, what the last one returned)."""
    seconds = []
    for _ in range(repeats):
        began = time.process_time()
        result = run()
        seconds.append(time.process_time() - began)
    return min(seconds), result


STAGES = {"generate": generate, "unpack": unpack, "counting": counting, "induction": induction}

if __name__ == "__main__":
    main()
