"""Time a training step of `crossinit_unmt` against stock `online_backtranslation`.

    python scripts/bench/backtranslation.py [--json FILE] [--size quickstart|mbart_base] [--repeats N]

Both tasks train through fairseq's own Trainer, in this process, in turns, on the same sentences and on models of the same
weights; the learning rate is 0, so that they stay the same. A batch of stock is made by stock's own datasets from the
sentences of ours. What is timed:

    generation  stock: SequenceGenerator.generate; ours: what write_stepwise does. Tokens written, </s> not counted, per second
    step        Trainer.train_step: generation, denoising and back-translation forward and backward, clipping, Adam
    batch       reading the sentences, noise, padding: what a training without workers waits for besides

Medians over updates; ratios are medians of the ratios of the updates.

The text is made up: two languages with disjoint halves of the vocabulary, sub-tokens drawn by Zipf's law, sentence
lengths from a log-normal distribution of the median and spread of the quickstart's text (10.5 sub-tokens; the logarithm's
standard deviation 0.75; 2 to 200). So that both write sentences as long as their sources, which random weights would not, the weights
are set by hand to copy the source; the lengths are reported.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from backtranslation_parts.report import report
from backtranslation_parts.text import MEDIAN_LENGTH

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

# layers, model and feed-forward dimensions, heads, vocabulary, max tokens, repeats
SIZES = {
    "tiny": (1, 64, 128, 2, 100, 200, 2),
    "quickstart": (2, 128, 512, 4, 2500, 800, 15),
    "mbart_base": (6, 768, 3072, 12, 32000, 512, 2),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=sorted(SIZES), default="quickstart", help="of the model and its batches")
    parser.add_argument("--repeats", type=int, help="updates timed (default: 15; 2 at mbart_base)")
    parser.add_argument("--sentences", type=int, default=4000, help="of each language")
    parser.add_argument(
        "--max-tokens", type=int, help="tokens of a batch of one language (default: 800; 512 at mbart_base)"
    )
    parser.add_argument("--median-length", type=float, default=MEDIAN_LENGTH, metavar="N", help="of the sentences")
    parser.add_argument("--dropout", type=float, default=0.1, help="(default: 0.1; the quickstart trains with 0)")
    parser.add_argument(
        "--restrict-vocab", action="store_true", help="ours generates tokens of the target language only"
    )
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count the seconds of CPU that this process gets, not those of the clock: for a busy machine, with OMP_NUM_THREADS=1",
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    args = parser.parse_args()
    size = list(SIZES[args.size])
    for place, given in ((5, args.max_tokens), (6, args.repeats)):
        size[place] = size[place] if given is None else given
    from backtranslation_parts.measure import measure  # fairseq takes seconds to load, too long for --help

    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), size, args)
    report(figures)
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
