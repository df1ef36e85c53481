"""What can be scored without learning to translate: python baselines.py --text DIR --out FILE.json

All of it is computed in both directions, on the test text:

copy       the source as it is
frequent   the most frequent word of the target language, as often as the source has words
unrelated  a sentence of the target language's training text as long as the source, at random
by_rank    for each word, the target language's word of the same rank
nearest    of the training sentences as long as the source, the one whose ranks are most like its own, place by place
"""

import collections
import json
import os
import random

import numpy as np
import sacrebleu

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.complete_files import complete_file

LANGUAGES = ("en", "xx")


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    parser.add_argument("--text", required=True, metavar="DIR", help="what text.py wrote")
    parser.add_argument("--out", required=True, metavar="FILE.json")
    args = parser.parse_args(arguments)
    result = {"-".join(pair): scores(args.text, *pair) for pair in (LANGUAGES, LANGUAGES[::-1])}
    with complete_file(args.out) as part, open(part, "w", encoding="utf-8") as stream:
        json.dump(result, stream, indent=2)
        stream.write("\n")


def scores(folder, source, target):
    """Return {name: BLEU} for one direction."""
    asked, wanted = read(folder, "test." + source), read(folder, "test." + target)
    known = read(folder, "train." + target)
    ranks, counterparts = ranked(read(folder, "train." + source)), list(ranked(known))
    by_length = collections.defaultdict(list)
    for words in known:
        by_length[len(words)].append(words)
    rng = random.Random(1)
    of_target = {word: rank for rank, word in enumerate(counterparts)}
    log_ranks = {n: np.log1p([[of_target[w] for w in words] for words in pool]) for n, pool in by_length.items()}
    last = len(counterparts) - 1
    places = [[min(ranks.get(word, last), last) for word in words] for words in asked]
    pools = [by_length.get(len(words), known) for words in asked]
    written = {
        "copy": asked,
        "frequent": [counterparts[:1] * len(words) for words in asked],
        "unrelated": [rng.choice(pool) for pool in pools],
        "by_rank": [[counterparts[place] for place in sentence] for sentence in places],
        "nearest": [nearest(np.log1p(sentence), log_ranks, by_length) for sentence in places],
    }
    return {name: bleu(texts, wanted) for name, texts in written.items()}


def nearest(wanted, log_ranks, by_length):
    """The sentence of by_length whose log ranks are nearest to `wanted`, float [T]; empty where none has T words."""
    if len(wanted) not in by_length:
        return []
    return by_length[len(wanted)][int(np.abs(log_ranks[len(wanted)] - wanted).sum(1).argmin())]


def bleu(hypotheses, references):
    """BLEU of lists of lists of words."""
    texts = [[" ".join(words) for words in side] for side in (hypotheses, references)]
    return sacrebleu.corpus_bleu(texts[0], [texts[1]], tokenize="none", force=True).score


def ranked(sentences):
    """{word: rank}, from 0, in the order of rank."""
    counts = collections.Counter(word for words in sentences for word in words)
    return {word: rank for rank, word in enumerate(sorted(counts, key=lambda word: (-counts[word], word)))}


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as stream:
        return [line.split() for line in stream]


if __name__ == "__main__":
    main()
