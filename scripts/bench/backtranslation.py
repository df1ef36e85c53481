"""Time a training step of `crossinit_unmt` against stock `online_backtranslation`, in four workloads.

    python scripts/bench/backtranslation.py [--json FILE] [--size quickstart|mbart_base] [--repeats N]

The workloads: short sentences, as the quickstart's, in batches of 800 sub-tokens; long ones, of 40 words in the
median, in batches of 200, 800 and 3,000. (--max-tokens and --median-length make one of your own instead.)

Both tasks train through fairseq's own Trainer, in this process, in turns, on the same sentences and on models of the
same weights; the learning rate is 0, so that they stay the same. A batch of stock is made by stock's own datasets from
the sentences of ours. What is timed:

    generation  stock: SequenceGenerator.generate; ours: what Search does. Tokens written, </s> not counted, per second
    step        Trainer.train_step: generation, denoising and back-translation forward and backward, clipping, Adam
    batch       reading the sentences, noise, padding: what a training without workers waits for besides

Medians over updates; ratios are medians of the ratios of the updates. With --bt-ahead N ours translates the sources of
N updates together, and N updates of either count as one.

The text is made up: two languages with disjoint halves of the vocabulary, sub-tokens drawn by Zipf's law, sentence
lengths from a log-normal distribution of the spread of the quickstart's text (standard deviation of the logarithm
0.75; 5 to 200 sub-tokens: stock writes no fewer than 5). So that both write sentences as long as their sources, which
random weights would not, the weights are set by hand to copy the source. Every sentence that both have written is
compared, token by token: if any differs but for the language's token, which stock copies too, the benchmark ends with
exit code 1 (not with --fp16).
"""

import json
import tempfile
from pathlib import Path

import checkout  # noqa: F401
from backtranslation_parts.report import report, table
from backtranslation_parts.workloads import SIZES, settings_of

from crossinit_fairseq.cli.command import at_least, positive
from crossinit_fairseq.command_line import CommandParser


def main():
    parser = CommandParser(description=__doc__)
    parser.add_argument(
        "--size", choices=sorted(SIZES), default="quickstart", help="of the model (default: quickstart)"
    )
    parser.add_argument("--repeats", type=positive, default=9, help="updates timed of each workload (default: 9)")
    parser.add_argument("--sentences", type=positive, default=2000, help="of each language (default: 2,000)")
    own = parser.add_argument_group("a workload of your own, in place of the four")
    own.add_argument(
        "--max-tokens", type=positive, metavar="N", help="sub-tokens of a batch of one language (default: 800)"
    )
    own.add_argument(
        "--median-length", type=float, metavar="N", help="of the sentences, in sub-tokens (default: 10.5, short ones)"
    )
    parser.add_argument(
        "--fp16",
        action="store_true",
        help="half precision, on a GPU; rounding may turn sentences, so the share of those alike is reported",
    )
    parser.add_argument("--dropout", type=float, default=0.1, help="(default: 0.1; the quickstart trains with 0)")
    parser.add_argument(
        "--restrict-vocab", action="store_true", help="ours generates tokens of the target language only"
    )
    parser.add_argument(
        "--bt-ahead", type=positive, default=1, metavar="N", help="ours translates for N updates together (default: 1)"
    )
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count the seconds of CPU that this process gets, not those of the clock: for a busy machine, with "
        "OMP_NUM_THREADS=1",
    )
    parser.add_argument(
        "--seed", type=at_least(0), default=1, help="of the text, the noise and the weights (default: 1)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures there, after every workload")
    args = parser.parse_args()
    if args.median_length is not None and not args.median_length > 0:
        parser.error(f"--median-length is {args.median_length}; it must be over 0")
    if not 0 <= args.dropout < 1:
        parser.error(f"--dropout is {args.dropout}; it must be 0 or more and under 1")
    if args.fp16:
        import torch

        if not torch.cuda.is_available():
            parser.error("--fp16 needs a GPU, and torch sees none here")
    from backtranslation_parts.measure import measure  # fairseq takes seconds to load, too long for --help

    workloads = []
    for setting in settings_of(args):
        with tempfile.TemporaryDirectory() as folder:
            workloads.append(measure(Path(folder), setting))
        report(workloads[-1])
        if args.json:
            Path(args.json).write_text(json.dumps({"workloads": workloads}, indent=2) + "\n", encoding="utf-8")
    print(table(workloads))


if __name__ == "__main__":
    main()
