"""Time a CrossInit training step against (a) gathering and averaging each span, (b) the optimizer's step alone.

    python scripts/bench/crossinit_step.py [--json FILE] [--vocabulary 95000 --dim 1024 --languages 3 --pairs 256]

All three run in this process on the same table and draws; medians are reported. (a) is Eq. 1 as the paper describes
it: for every draw the sub-tokens of all words of both spans and of all words outside are gathered, padded, and
averaged. It is run on --gather-pairs draws and its gathering scaled to --pairs; its optimizer step is not scaled.

Extra memory is the peak of a step over the peak of the optimizer's step alone (table, gradient, Adam's two moments and
its temporaries), as a share of table + gradient + moments. On a GPU, a step is also run with every host
synchronisation an error.
"""

import functools
import json
import resource
import statistics
import sys
import time
from pathlib import Path

import checkout  # noqa: F401
import numpy as np
import torch
from tqdm import tqdm

from crossinit_fairseq.alignment import RankedTable, SpanPlan, sigmoid_objective
from crossinit_fairseq.alignment.span_means import SpanMeans
from crossinit_fairseq.cli.command import positive
from crossinit_fairseq.command_line import CommandParser
from crossinit_fairseq.ranks import RankedWords
from crossinit_fairseq.spans import SpanSampler


def make_words(rng, count, vocabulary):
    """RankedWords with 1 to 4 sub-tokens each: frequent words mostly one, rare ones mostly more."""
    longest = np.minimum(1 + np.log2(1 + np.arange(count) / 4000), 3.5)
    lengths = 1 + rng.binomial(3, (longest - 1) / 3)
    # frequent sub-tokens are in more words than rare ones
    tokens = np.minimum(vocabulary * rng.random(lengths.sum()) ** 2, vocabulary - 1).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return RankedWords(tokens, offsets, np.arange(count, 0, -1))


def padded(ranked):
    """The words as int64 [N, longest], padded with -1."""
    lengths = np.diff(ranked.offsets)
    table = np.full((len(ranked), lengths.max()), -1, dtype=np.int64)
    table[np.arange(lengths.max()) < lengths[:, None]] = ranked.tokens
    return torch.from_numpy(table)


def gathered_means(table, words, draws):
    """SpanMeans by gathering every word of every span and of its outside."""

    def mean(of_language):
        mask = of_language.ge(0).unsqueeze(2)
        vectors = table[of_language.clamp(min=0)] * mask
        return (vectors.sum(1) / mask.sum(1)).mean(0)

    left, right, outside = [], [], []
    for i, j, low, high in zip(draws.left, draws.right, draws.low, draws.high):
        left.append(mean(words[i][low:high]))
        right.append(mean(words[j][low:high]))
        outside.append(mean(torch.cat([words[j][:low], words[j][high:]])))
    ranks = torch.from_numpy(np.stack([draws.low, draws.high]))
    return SpanMeans(torch.stack(left), torch.stack(right), torch.stack(outside), ranks)


class Clock:
    """Seconds of a call, with the device's work done."""

    def __init__(self, device):
        self.synchronise = torch.cuda.synchronize if device.type == "cuda" else lambda: None

    def __call__(self, work):
        self.synchronise()
        begin = time.perf_counter()
        work()
        self.synchronise()
        return time.perf_counter() - begin


def peak_bytes(device):
    """The most memory held at once since the process began (CPU: resident; GPU: allocated)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    # macOS reports bytes, Linux kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main():
    parser = CommandParser(description=__doc__)
    parser.add_argument("--vocabulary", type=positive, default=95000, metavar="V")
    parser.add_argument("--dim", type=positive, default=1024, metavar="D")
    parser.add_argument("--languages", type=positive, default=3)
    parser.add_argument("--words", type=positive, default=100000, help="distinct words of each language")
    parser.add_argument("--pairs", type=positive, default=256, help="draws a step")
    parser.add_argument("--span", type=positive, default=3000)
    parser.add_argument("--max-rank", type=positive, default=20000)
    parser.add_argument("--repeats", type=positive, default=7)
    parser.add_argument("--gather-pairs", type=positive, default=1, help="draws that (a) is timed on")
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    args = parser.parse_args()

    from fairseq.optim.adam import Adam

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    clock = Clock(device)
    rng = np.random.default_rng(0)
    words = [make_words(rng, args.words, args.vocabulary) for _ in range(args.languages)]
    sampler = SpanSampler([len(w) for w in words], args.span, args.max_rank, seed=0)
    ranked = RankedTable(words, args.max_rank, args.vocabulary).to(device)
    table = torch.nn.Parameter(torch.randn(args.vocabulary, args.dim, device=device) * args.dim**-0.5)
    optimizer = Adam([table], lr=1e-4)

    table.grad = torch.ones_like(table)
    optimizer.step()
    needed = peak_bytes(device)

    def plan(index):
        tensors = ranked.plan(sampler.draw(args.pairs, 1, index)).tensors()
        return SpanPlan(**{name: tensor.to(device) for name, tensor in tensors.items()})

    def gradient(spans):
        sigmoid_objective(ranked(table, spans)).loss.sum().backward()

    def ours(index):
        optimizer.zero_grad()
        gradient(plan(index))

    full, alone = [], []
    for index in tqdm(range(args.repeats + 1), desc="prefix sums", disable=not sys.stderr.isatty()):
        seconds = clock(functools.partial(ours, index))
        step = clock(optimizer.step)
        if index:  # the first warms up
            full.append(seconds + step)
            alone.append(step)
    extra = (peak_bytes(device) - needed) / (4 * table.numel() * table.element_size())
    if device.type == "cuda":
        spans = plan(0)
        torch.cuda.set_sync_debug_mode("error")
        gradient(spans)
        torch.cuda.set_sync_debug_mode("default")

    lists = [padded(w).to(device) for w in words]
    few = sampler.draw(args.gather_pairs, 1, 0)
    gather = []
    for _ in tqdm(range(2), desc="gather and average", disable=not sys.stderr.isatty()):
        optimizer.zero_grad()
        gather.append(clock(lambda: sigmoid_objective(gathered_means(table, lists, few)).loss.sum().backward()))
    scaled = min(gather) * args.pairs / args.gather_pairs + statistics.median(alone)

    figures = {
        "device": (
            torch.cuda.get_device_name() if device.type == "cuda" else f"cpu, {torch.get_num_threads()} threads"
        ),
        "torch": torch.__version__,
        "settings": {k: v for k, v in vars(args).items() if k != "json"},
        "step_seconds": statistics.median(full),
        "optimizer_seconds": statistics.median(alone),
        "gather_seconds_scaled": scaled,
        "speedup_vs_gather": scaled / statistics.median(full),
        "ratio_to_optimizer": statistics.median([f / a for f, a in zip(full, alone)]),
        "extra_memory": extra,
    }
    print(
        "V = {:,}, d = {:,}, {} languages, {} pairs a step, on {}".format(
            args.vocabulary, args.dim, args.languages, args.pairs, figures["device"]
        )
    )
    print("a step, optimizer included:         {:9.3f} s (median of {})".format(figures["step_seconds"], args.repeats))
    print(
        "the optimizer's step alone:         {:9.3f} s, so a step is {:.2f} times that".format(
            figures["optimizer_seconds"], figures["ratio_to_optimizer"]
        )
    )
    print(
        "gathering and averaging every span: {:9.1f} s (scaled from {} pairs), {:.0f} times a step".format(
            scaled, args.gather_pairs, figures["speedup_vs_gather"]
        )
    )
    print(f"extra memory of a step:             {100 * extra:9.1f} % of table, gradient and Adam's moments")
    if device.type == "cuda":
        print("host synchronisation in forward, loss and backward: none")
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
