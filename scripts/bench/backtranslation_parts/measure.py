"""Both tasks trained in turns, and what they took."""

import argparse
import logging
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from backtranslation_parts.copying import make_copying
from backtranslation_parts.figures import figures_of
from backtranslation_parts.meter import Meter
from backtranslation_parts.side import Side, our_batch, stock_batch
from backtranslation_parts.text import LANGUAGES, write_data
from fairseq import utils
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[3]


def measure(folder, size, args):
    """Set both sides up in an empty folder and time them. Returns the figures as a dict.

    size: a row of SIZES; args: the options of backtranslation.py.
    """
    logging.disable(logging.WARNING)  # the tasks tell of their set-up, and stock prints translations
    warnings.simplefilter("ignore")
    utils.import_user_module(argparse.Namespace(user_dir=str(ROOT / "crossinit_fairseq")))
    write_data(folder, size[4], args.sentences, args.median_length, np.random.default_rng(args.seed))
    cuda = torch.cuda.is_available()
    sides = _sides(folder, size, args, cuda)

    def clock():
        if cuda:
            torch.cuda.synchronize()
        return time.process_time() if args.cpu_time else time.perf_counter()

    meters = _meters(sides, clock)
    dataset = sides["ours"].task.datasets["train"]
    timed = {name: {"batch": [], "step": [], "generation": [], "tokens": [], "sentences": []} for name in sides}
    source_words = source_sentences = 0
    for repeat in tqdm(range(size[6] + 1), desc="updates timed", disable=not sys.stderr.isatty()):
        _, chosen = our_batch(sides["ours"], repeat % len(dataset))
        # each goes first in every other update
        for name in sorted(sides, reverse=bool(repeat % 2)):
            begin = clock()
            if name == "ours":
                batch, _ = our_batch(sides["ours"], repeat % len(dataset))
            else:
                batch = stock_batch(sides["stock"], chosen)
            made = clock()
            sides[name].trainer.train_step([batch])
            end = clock()
            generation, tokens, sentences = meters[name].take()
            if repeat:  # the first warms up
                values = (made - begin, end - made, generation, tokens, sentences)
                for key, value in zip(("batch", "step", "generation", "tokens", "sentences"), values):
                    timed[name][key].append(value)
        if repeat:
            for language, indices in chosen.items():
                source_words += int((np.asarray(dataset.texts[language].sizes)[indices] - 1).sum())
                source_sentences += len(indices)
    return figures_of(timed, source_words, source_sentences, size, args)


def _sides(folder, size, args, cuda):
    """{"ours": Side, "stock": Side}, with the same weights."""
    restrict = ["--restrict-vocab-updates", "-1"] if args.restrict_vocab else []
    common = (folder, size, args.seed, args.dropout, cuda)
    ours = Side(*common, "--task", "crossinit_unmt", "--langs", ",".join(LANGUAGES), *restrict)
    stock_options = ["--mono-langs", ",".join(LANGUAGES), "--valid-lang-pairs", "-".join(LANGUAGES)]
    stock = Side(*common, "--task", "online_backtranslation", *stock_options)
    if len(ours.task.dictionary) != len(stock.task.dictionary):
        raise SystemExit("the tasks' dictionaries are of unlike sizes; this is a fault of the benchmark")
    dataset = ours.task.datasets["train"]
    dataset.set_epoch(1)
    dataset.batch_by_size(None, max_tokens=size[5])
    torch.manual_seed(args.seed)
    make_copying(ours.model, torch.Generator().manual_seed(args.seed))
    stock.model.load_state_dict(ours.model.state_dict())
    return {"ours": ours, "stock": stock}


def _meters(sides, clock):
    """{name: Meter of its generation}."""
    from crossinit_fairseq.generation.search import Search

    pad, eos = sides["ours"].task.dictionary.pad(), sides["ours"].task.dictionary.eos()
    meters = {
        "ours": Meter(
            clock, lambda made: (sum(int((m.ne(pad) & m.ne(eos)).sum()) for m in made), sum(len(m) for m in made))
        ),
        "stock": Meter(clock, lambda made: (sum(len(best[0]["tokens"]) - 1 for best in made), len(made))),
    }
    Search.__call__ = meters["ours"].around(Search.__call__)
    for generator in sides["stock"].task.sequence_generators.values():
        generator.generate = meters["stock"].around(generator.generate)
    return meters
