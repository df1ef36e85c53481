"""Write the embedding table that a run starts from into a checkpoint.

    python table.py INIT --checkpoint IN.pt --text DIR --out OUT.pt

random     every word's embedding is noise
crossinit  the checkpoint's own, trained by CrossInit
rank       a smooth random function of the logarithm of the word's rank, the same one for both languages, plus noise:
           what a method could know from ranks alone, with no training
oracle     a word and its cipher have the same embedding but for noise: better than any method could know

All four are brought to the same root mean square, so that they differ in nothing else: it says how soon training
overwrites them. The rest of the checkpoint stays as it is.
"""

import collections
import os

import torch
from fairseq.data import Dictionary

from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.export.checkpoint import Checkpoint

LANGUAGES = ("en", "xx")


def main(arguments=None):
    parser = CommandParser(description=__doc__)
    parser.add_argument("init", choices=("random", "crossinit", "rank", "oracle"))
    parser.add_argument("--checkpoint", required=True, metavar="IN.pt")
    parser.add_argument("--text", required=True, metavar="DIR", help="what text.py wrote")
    parser.add_argument("--noise", type=float, default=0.3, help="rank, oracle: noise's share of the squared length")
    parser.add_argument(
        "--width", type=float, default=0.3, help="rank: smooth over so much of the logarithm of the rank"
    )
    parser.add_argument("--scale", type=float, default=0.06, help="the root mean square")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True, metavar="OUT.pt")
    args = parser.parse_args(arguments)
    dictionary = Dictionary.load(os.path.join(args.text, "dict.txt"))
    checkpoint = Checkpoint(args.checkpoint)
    table = checkpoint.table(dictionary.symbols).values
    generator = torch.Generator().manual_seed(args.seed)
    with open(os.path.join(args.text, "cipher.tsv"), encoding="utf-8") as stream:
        words = list(zip(*(line.split() for line in stream)))
    noise = torch.randn(2 * len(words[0]), table.size(1), generator=generator)
    if args.init == "rank":
        words = [ranked(side, os.path.join(args.text, "train." + lang)) for side, lang in zip(words, LANGUAGES)]
        feature = smooth_function(table.size(1), args.width, generator)
        shared = torch.cat([feature(torch.arange(1.0, len(side) + 1).log()) for side in words])
    elif args.init == "oracle":
        shared = torch.randn(len(words[0]), table.size(1), generator=generator).repeat(2, 1)
    rows = [dictionary.index(word) for side in words for word in side]
    if args.init == "random":
        values = noise
    elif args.init == "crossinit":
        values = table[rows].float()
    else:
        values = (1 - args.noise) ** 0.5 * shared + args.noise**0.5 * noise[: len(rows)]
    values = values * (args.scale / values.pow(2).mean().sqrt())
    checkpoint.replace(rows, values, list(range(len(rows))))
    checkpoint.save(args.out)


def ranked(words, path):
    """`words` in the order of their counts in a file of words between spaces, the most frequent first."""
    with open(path, encoding="utf-8") as stream:
        counts = collections.Counter(word for line in stream for word in line.split())
    return sorted(words, key=lambda word: (-counts[word], word))


def smooth_function(dimension, width, generator):
    """A function from float [n] to float [n, dimension] of variance 1, whose values at x and y have the correlation
    exp(-((x - y) / width)**2 / 2): random Fourier features of a Gaussian process (Rahimi and Recht 2007)."""
    frequencies = torch.randn(dimension, 256, generator=generator) / width
    phases = 2 * torch.pi * torch.rand(dimension, 256, generator=generator)
    weights = torch.randn(dimension, 256, generator=generator) * (2 / 256) ** 0.5
    return lambda x: ((x[:, None, None] * frequencies + phases).cos() * weights).sum(2)


if __name__ == "__main__":
    main()
