"""Lay out the text of the example: a folder of one's own as it is, or one made of samples.

    python text.py --data DIR --langs en,de,hi --lines 100000 --out DIR

Read from a folder of one's own, which has mono.en and is linked as it is, and written from samples:

    mono.LANG                                           a sentence a line
    nli.train.en.tsv nli.dev.en.tsv nli.test.LANG.tsv   premise, hypothesis, label (task xnli)
    qa.train.en.json qa.dev.en.json qa.test.LANG.json   SQuAD's format (task qa)
    aligned.LANG words.en-LANG.txt                      for retrieval, optional; aligned lines, MUSE dictionaries

A folder of samples has mono/general.LANG.txt.xz, nli/SICK.txt, nli/dev.LANG.tsv (XNLI's, aligned across languages),
qa/dev.en.json (MLQA's), qa/xquad.LANG.json and muse/en-LANG*.txt. Of XNLI's development set the first half trains, in
English, with SICK; of the other half the first 345 pairs choose the checkpoint and the rest tests, in every language:
no translation of a test pair is trained on. Of XQuAD's 48 articles 24 train with MLQA's English ones, 6 choose, and the
other 18 test in every language. Lines of test sentences are taken out of the text to pre-train on.
"""

import glob
import json
import lzma
import os
import random
import sys

from crossinit_fairseq.command_line import CommandParser

_LABELS = {"ENTAILMENT": "entailment", "NEUTRAL": "neutral", "CONTRADICTION": "contradiction"}
_CHOOSE, _ARTICLES = 345, (24, 30)
_OWN = ("mono.", "nli.", "qa.", "aligned.", "words.")


def main():
    parser = CommandParser(description=__doc__)
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--langs", required=True, help="such as en,de,hi; English is the first")
    parser.add_argument("--lines", type=int, default=0, help="lines of each language to pre-train on (default: all)")
    parser.add_argument("--pairs", type=int, default=0, help="pairs and questions to train on (default: all)")
    parser.add_argument("--out", required=True, metavar="DIR")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    langs = args.langs.split(",")
    try:
        if os.path.exists(os.path.join(args.data, "mono.en")):
            link(args.data, args.out, langs)
        else:
            lay_out(args, langs)
    except OSError as error:
        sys.exit(f"text.py: {error.filename} cannot be read ({error.strerror}); see python {__file__} --help")
    except (UnicodeDecodeError, lzma.LZMAError) as error:
        sys.exit(f"text.py: the samples in {args.data} are damaged: {error}")


def link(data, out, langs):
    """A folder of one's own: its files, by symbolic links, in the place of those of an earlier call."""
    for language in langs:
        os.stat(os.path.join(data, f"mono.{language}"))
    for folder, is_new in ((out, False), (data, True)):
        for name in os.listdir(folder):
            target = os.path.join(out, name)
            if name.startswith(_OWN):
                if os.path.lexists(target):
                    os.remove(target)
                if is_new:
                    os.symlink(os.path.realpath(os.path.join(data, name)), target)


def lay_out(args, langs):
    """Samples."""
    if not os.path.isfile(os.path.join(args.data, "mono", "general.en.txt.xz")):
        sys.exit(f"text.py: {args.data} has neither mono.en nor mono/general.en.txt.xz; see python {__file__} --help")
    kept_out = nli(args, langs)
    qa(args, langs)
    for language in langs:
        with lzma.open(os.path.join(args.data, "mono", f"general.{language}.txt.xz"), "rt", encoding="utf-8") as stream:
            lines = [line for line in stream if line.strip() and line.strip() not in kept_out]
        lines = lines[: args.lines or len(lines)]
        write(args.out, f"mono.{language}", lines)
        print(f"{language}: {len(lines):,} lines to pre-train on")
    for language in langs[1:]:
        for path in glob.glob(os.path.join(args.data, "muse", f"en-{language}*.txt")):
            with open(path, encoding="utf-8") as stream:
                write(args.out, f"words.en-{language}.txt", list(stream))


def nli(args, langs):
    """Write the pairs. Returns the texts of the test pairs of all languages, which pre-training must not see."""
    folder, kept_out = os.path.join(args.data, "nli"), set()
    with open(os.path.join(folder, "SICK.txt"), encoding="utf-8") as stream:
        header = next(stream).rstrip("\n").split("\t")
        rows = [dict(zip(header, line.rstrip("\n").split("\t"))) for line in stream]
    train = [f"{r['sentence_A']}\t{r['sentence_B']}\t{_LABELS[r['entailment_label']]}\n" for r in rows]
    for language in langs:
        with open(os.path.join(folder, f"dev.{language}.tsv"), encoding="utf-8") as stream:
            pairs = list(stream)
        half = len(pairs) // 6 * 3  # the three pairs of one premise stay together
        if language == "en":
            random.Random(1).shuffle(train)
            train = pairs[:half] + train
            write(args.out, "nli.train.en.tsv", train[: args.pairs or len(train)])
            write(args.out, "nli.dev.en.tsv", pairs[half : half + _CHOOSE])
        test = pairs[half + _CHOOSE :]
        write(args.out, f"nli.test.{language}.tsv", test)
        write(args.out, f"aligned.{language}", [pair.split("\t")[1] + "\n" for pair in test])
        kept_out |= {text for pair in test for text in pair.split("\t")[:2]}
    return kept_out


def qa(args, langs):
    """Write the questions."""
    first, second = _ARTICLES
    with open(os.path.join(args.data, "qa", "dev.en.json"), encoding="utf-8") as stream:
        mlqa = json.load(stream)["data"]
    for language in langs:
        with open(os.path.join(args.data, "qa", f"xquad.{language}.json"), encoding="utf-8") as stream:
            articles = json.load(stream)["data"]
        if language == "en":
            train = articles[:first] + mlqa
            squad(args.out, "qa.train.en.json", train[: args.pairs // 10 or len(train)])
            squad(args.out, "qa.dev.en.json", articles[first:second])
        squad(args.out, f"qa.test.{language}.json", articles[second:])


def squad(out, name, articles):
    with open(os.path.join(out, name), "w", encoding="utf-8") as stream:
        json.dump({"version": "1.1", "data": articles}, stream, ensure_ascii=False)


def write(out, name, lines):
    with open(os.path.join(out, name), "w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(lines)


if __name__ == "__main__":
    main()
