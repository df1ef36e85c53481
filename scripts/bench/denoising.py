"""Time reading, noise and batching of `crossinit_denoising` against stock `multilingual_denoising`.

    python scripts/bench/denoising.py [--json FILE] [--sentences N] [--repeats N]

Both tasks read the same data folder through fairseq's own iterators, in this process, in turns, three epochs each,
without workers: all that a training does but for the model. The noise is mBART's on single sentences, with the same
options. (Without --bpe, which needs a SentencePiece model, stock takes each sub-token for a word; ours masks whole
words.)

    words_per_s        sub-tokens of the text a second, over three epochs (fairseq's log calls them words, too)
    words_per_batch    the mean of each epoch: from the second on, stock sorts by the lengths of the first
    speedup_vs_stock   the ratio of words_per_s, the median of --repeats

Seconds are those of CPU that this process gets, so that other jobs on the machine disturb them less.

The text is made up: two languages with disjoint halves of a vocabulary, sub-tokens drawn by Zipf's law, lengths from a
log-normal distribution (a median of 25 sub-tokens; the logarithm's standard deviation is 0.75; 5 to 200).
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import checkout  # noqa: F401
import numpy as np

from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.command_line import CommandParser

EPOCHS, MEDIAN_LENGTH, SEED = 3, 25.0, 1
NOISE = (
    "--langs aa,bb --add-lang-token --sample-break-mode eos --tokens-per-sample 256 --multilang-sampling-alpha 0.5 "
    "--mask 0.35 --mask-length span-poisson --poisson-lambda 3.5 --replace-length 1 --rotate 0 --permute-sentences 0"
)
TASKS = {"ours": "crossinit_denoising", "stock": "multilingual_denoising"}


def main():
    parser = CommandParser(description=__doc__)
    parser.add_argument("--sentences", type=positive, default=3000, help="of each language (default: 3000)")
    parser.add_argument("--vocabulary", type=positive, default=32000, help="symbols of the dictionary (default: 32000)")
    parser.add_argument("--max-tokens", type=positive, default=4096, help="of a batch (default: 4096)")
    parser.add_argument("--repeats", type=positive, default=3, help="of the three epochs (default: 3)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), args)
    for side in TASKS:
        found = figures["sides"][side]
        batches = ", ".join(f"{words:,.0f}" for words in found["words_per_batch"])
        print(f"{side:>5}: {found['words_per_s']:,.0f} words_per_s; words_per_batch in the three epochs {batches}")
    print(f"speedup_vs_stock: {figures['speedup_vs_stock']:.2f} (median of {args.repeats})")
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n")


def measure(folder, args):
    """The figures as a dictionary."""
    from backtranslation_parts.text import write_data  # fairseq takes seconds to load, too long for --help

    rng = np.random.default_rng(SEED)
    setting = dict(vocabulary=args.vocabulary, sentences=args.sentences, median_length=MEDIAN_LENGTH)
    write_data(folder, argparse.Namespace(**setting), rng)
    rounds = [
        {side: epochs_of(task, folder, args.max_tokens) for side, task in TASKS.items()} for _ in range(args.repeats)
    ]
    ratios = [found["ours"]["words_per_s"] / found["stock"]["words_per_s"] for found in rounds]
    middle = rounds[ratios.index(statistics.median_low(ratios))]
    return {"speedup_vs_stock": statistics.median(ratios), "speedups": ratios, "sides": middle}


def epochs_of(task_name, folder, max_tokens):
    """Go through the training text as fairseq's trainer does. Returns {"words_per_s", "words_per_batch"}."""
    import torch
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf
    from fairseq.options import get_training_parser, parse_args_and_arch
    from fairseq.tasks import setup_task

    import crossinit_fairseq  # noqa: F401

    words = [str(folder), "--task", task_name, "--seed", str(SEED), "--arch", "mbart_base", *NOISE.split()]
    cfg = convert_namespace_to_omegaconf(parse_args_and_arch(get_training_parser(), words))
    task = setup_task(cfg.task)
    torch.manual_seed(SEED)
    total, per_batch, begin = 0, [], time.process_time()
    for epoch in range(1, EPOCHS + 1):
        if epoch == 1 or task.has_sharded_data("train"):
            task.load_dataset("train", epoch=epoch)
        iterator = task.get_batch_iterator(
            task.datasets["train"], max_tokens=max_tokens, max_positions=task.max_positions(), seed=SEED, epoch=epoch
        )
        counts = [batch["ntokens"] - 2 * len(batch["id"]) for batch in iterator.next_epoch_itr()]
        total += sum(counts)
        per_batch.append(statistics.mean(counts))
    return {"words_per_s": total / (time.process_time() - begin), "words_per_batch": per_batch}


if __name__ == "__main__":
    main()
