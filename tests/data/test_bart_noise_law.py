"""crossinit_fairseq/data/bart_noise.py: its noise has the law of fairseq's own dataset."""

import argparse
import inspect
import math

import numpy as np
import pytest
import torch
from fairseq.data import DenoisingDataset
from scipy import stats

from crossinit_fairseq.data.bart_noise import BartNoise, NoiseLaw
from tests.data.toy_noise import BOS, DICTIONARY, EN, EOS, MASK, PIECES, SYMBOLS, TEXT


class _Inputs(list):
    sizes = None


def stock(tokens, whole_words, law, count):
    """What fairseq's DenoisingDataset makes of an input, `count` times."""
    options = dict(
        mask=law.mask,
        mask_random=law.mask_random,
        insert=law.insert,
        rotate=law.rotate,
        permute_sentences=law.permute_sentences,
        bpe=None,
        replace_length=law.replace_length,
        mask_length=law.mask_length,
        poisson_lambda=law.poisson_lambda,
    )
    if "args" in inspect.signature(DenoisingDataset.__init__).parameters:  # the official 0.12.2
        options = dict(args=argparse.Namespace(**options))
    begins = None
    if whole_words:
        begins = torch.tensor([row < 4 or symbol[0] == "\u2581" for row, symbol in enumerate(SYMBOLS)]).byte()
    inputs = _Inputs([torch.tensor(tokens) for _ in range(count)])
    dataset = DenoisingDataset(inputs, None, DICTIONARY, MASK, begins, shuffle=False, seed=1, eos=EN, **options)
    torch.manual_seed(1)
    return [dataset[k]["source"].tolist() for k in range(count)]


# each word once, so that what is missing can be told
BLOCK = [BOS]
for word in range(4, 40):
    BLOCK += [word] + ([44 + word // 4] if word % 4 == 0 else []) + ([EOS] if word % 13 == 0 else [])
BLOCK += [EOS, EN]


def features(source):
    """Numbers that tell what was done to BLOCK."""
    words = [token for token in source if 4 <= token < 44]
    missing = "".join("x" if word not in words else "." for word in range(4, 40))
    runs = [len(run) for run in missing.split(".") if run]
    return {
        "length": len(source),
        "masks": source.count(MASK),
        "masks side by side": sum(a == b == MASK for a, b in zip(source, source[1:])),
        "words missing": missing.count("x"),
        "runs of missing words": len(runs),
        "longest run": max(runs, default=0),
        "words twice": len(words) - len(set(words)),
        "last word missing": missing[-1] == "x",
        "sentence ends": source.count(EOS),
        "falls": sum(a > b for a, b in zip(words, words[1:])),
        "first word": words[0] if words else 0,
        "sub-tokens that go on": sum(44 <= token < 54 for token in source),
    }


@pytest.mark.parametrize(
    "whole_words, law",
    [
        (True, dict(mask=0.35)),
        (False, dict(mask=0.35)),
        (True, dict(mask=0.2, poisson_lambda=1.0, replace_length=0)),
        (True, dict(mask=0.5, poisson_lambda=2.0, replace_length=-1)),
        (True, dict(mask=0.15, mask_length="word", insert=0.1)),
        (False, dict(mask=0.3, mask_length="subword", replace_length=0, rotate=0.5)),
        (True, dict(permute_sentences=1.0)),
        (True, dict(mask=0.3, permute_sentences=0.6, rotate=0.2)),
        (True, dict(mask=0.3, mask_random=0.4, replace_length=-1)),
        (True, dict(mask=0.3, mask_random=0.4, insert=0.05)),
    ],
    ids=str,
)
def test_the_law_is_that_of_fairseq(whole_words, law):
    law, count = NoiseLaw(**dict(dict(mask=0.0), **law)), 700
    noise = BartNoise(law, PIECES, MASK, TEXT, 1000, whole_words)
    ours = [features(noise(np.array(BLOCK), np.random.default_rng([1, k])).tolist()) for k in range(count)]
    theirs = [features(source) for source in stock(BLOCK, whole_words, law, count)]
    for name in ours[0]:
        # with --mask-random fairseq draws language tokens, <mask> and <pad> too: a few of these counts, not the others
        if law.mask_random and name in ("words twice", "sub-tokens that go on", "sentence ends"):
            continue
        one, other = (np.array([found[name] for found in both], dtype=float) for both in (ours, theirs))
        spread = math.sqrt((one.var() + other.var()) / count)
        slack = 0.1 if law.mask_random else 0.0
        assert abs(one.mean() - other.mean()) <= 4 * spread + slack * other.mean(), name
        assert abs(one.std() - other.std()) <= 0.15 * other.std() + slack + 1e-9, name
        if not law.mask_random:
            assert stats.ks_2samp(one, other, method="asymp").pvalue > 1e-4, name
