"""Both tasks trained in turns, and what they took."""

import argparse
import contextlib
import logging
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from fairseq import utils
from tqdm import tqdm

from backtranslation_parts.copying import make_copying
from backtranslation_parts.figures import figures_of
from backtranslation_parts.meter import Meter
from backtranslation_parts.side import Side, our_batch, stock_batch
from backtranslation_parts.text import LANGUAGES, write_data

ROOT = Path(__file__).resolve().parents[3]


def measure(folder, setting):
    """Set both sides up in an empty folder and time them. Returns the figures as a dict.

    setting: of workloads.py. Ends the program if the two write different sentences.
    """
    logging.disable(logging.WARNING)  # the tasks tell of their set-up, and stock prints translations
    warnings.simplefilter("ignore")
    utils.import_user_module(argparse.Namespace(user_dir=str(ROOT / "crossinit_fairseq")))
    write_data(folder, setting, np.random.default_rng(setting.seed))
    cuda = torch.cuda.is_available()
    sides = _sides(folder, setting, cuda)

    def clock():
        if cuda:
            torch.cuda.synchronize()
        return time.process_time() if setting.cpu_time else time.perf_counter()

    keys = ("batch", "step", "generation", "tokens", "sentences")
    timed = {name: {key: [] for key in keys} for name in sides}
    source_words = source_sentences = compared = alike = 0
    dataset = sides["ours"].task.datasets["train"]
    # whole groups of updates, the first of which translates for all of them
    groups = len(dataset) // setting.bt_ahead
    if not groups:
        raise SystemExit(f"the text has {len(dataset)} updates, too few for --bt-ahead: give more --sentences")
    with _meters(sides, clock) as meters:
        for repeat in tqdm(range(setting.repeats + 1), desc="updates timed", disable=not sys.stderr.isatty()):
            first = repeat % groups * setting.bt_ahead
            updates = range(first, first + setting.bt_ahead)
            written = {}
            # each goes first in every other repeat
            for name in sorted(sides, reverse=bool(repeat % 2)):
                sums = dict.fromkeys(keys, 0.0)
                for update in updates:
                    begin = clock()
                    batch = our_batch(sides["ours"], update) if name == "ours" else stock_batch(sides, update)
                    gathered = clock()
                    sides[name].trainer.train_step([batch])
                    sums["batch"], sums["step"] = sums["batch"] + gathered - begin, sums["step"] + clock() - gathered
                sums["generation"], written[name] = meters[name].take()
                sums["tokens"], sums["sentences"] = sum(map(len, written[name])), len(written[name])
                if repeat:  # the first warms up
                    for key, value in sums.items():
                        timed[name][key].append(value)
            compared += len(written["ours"])
            alike += _alike(written, sides, setting.fp16)
            if repeat:
                for language, indices in (pair for update in updates for pair in dataset.sentences_of(update)):
                    source_words += int((np.asarray(dataset.texts[language].sizes)[indices] - 1).sum())
                    source_sentences += len(indices)
    return figures_of(timed, source_words, source_sentences, compared, alike, setting)


def _alike(written, sides, rounded):
    """How many sentences both have written, but for stock's copied language tokens; ends the program unless they are
    all, or unless half precision may have turned some."""
    dictionary = sides["stock"].task.dictionary
    tokens = {dictionary.index(f"__{language}__") for language in LANGUAGES}
    stock = Counter(tuple(token for token in row if token not in tokens) for row in written["stock"])
    ours = Counter(map(tuple, written["ours"]))
    alike = sum((stock & ours).values())
    if stock != ours and not rounded:
        count = len(written["ours"])
        raise SystemExit(
            f"the two tasks wrote different sentences: {count - alike} of {count} (stock {len(written['stock'])})"
        )
    return alike


def _sides(folder, setting, cuda):
    """{"ours": Side, "stock": Side}, with the same weights."""
    options = ["--restrict-vocab-updates", "-1"] if setting.restrict_vocab else []
    options += ["--bt-ahead", str(setting.bt_ahead)] if setting.bt_ahead > 1 else []
    ours = Side(folder, setting, cuda, "--task", "crossinit_unmt", "--langs", ",".join(LANGUAGES), *options)
    stock_options = ["--mono-langs", ",".join(LANGUAGES), "--valid-lang-pairs", "-".join(LANGUAGES)]
    stock = Side(folder, setting, cuda, "--task", "online_backtranslation", *stock_options)
    if len(ours.task.dictionary) != len(stock.task.dictionary):
        raise SystemExit("the tasks' dictionaries are of unlike sizes; this is a fault of the benchmark")
    ours.make_batches()
    torch.manual_seed(setting.seed)
    make_copying(ours.model, torch.Generator().manual_seed(setting.seed))
    stock.model.load_state_dict(ours.model.state_dict())
    return {"ours": ours, "stock": stock}


@contextlib.contextmanager
def _meters(sides, clock):
    """{name: Meter of its generation}, while it lasts."""
    from crossinit_fairseq.generation.search import Search

    dictionary = sides["ours"].task.dictionary
    ends = {dictionary.pad(), dictionary.eos()}

    def rows_of_ours(generated):
        return [[token for token in row if token not in ends] for part in generated for row in part.tolist()]

    def rows_of_stock(generated):
        return [best[0]["tokens"].tolist()[:-1] for best in generated]

    meters = {"ours": Meter(clock, rows_of_ours), "stock": Meter(clock, rows_of_stock)}
    with contextlib.ExitStack() as stack:
        search = meters["ours"].around(Search.__call__)
        stack.enter_context(mock.patch.object(Search, "__call__", search))
        for generator in sides["stock"].task.sequence_generators.values():
            stack.enter_context(mock.patch.object(generator, "generate", meters["stock"].around(generator.generate)))
        yield meters
