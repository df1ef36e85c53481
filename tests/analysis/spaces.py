"""Hand-made words and tables whose answers are known."""

import numpy as np
import torch

from crossinit_fairseq.analysis.words import LanguageWords, Space, look_up
from crossinit_fairseq.export.tables import EmbeddingTable
from crossinit_fairseq.ranks import RankTable

COUNT, DIMENSION = 300, 16


def rank_table(language, words):
    return RankTable(language, list(words), np.arange(len(words), 0, -1), sum(range(1, len(words) + 1)))


def language_words(language, count=COUNT):
    """a0, a1, ... of language aa; their ranks are 1, 2, ..."""
    return LanguageWords(language, [f"{language[0]}{k}" for k in range(count)], np.arange(1, count + 1), count)


def two_languages(count=COUNT):
    return {language: language_words(language, count) for language in ("aa", "bb")}


def random_vectors(seed=0, count=COUNT, dimension=DIMENSION):
    return np.random.default_rng(seed).standard_normal((count, dimension))


def rotation(dimension=DIMENSION, seed=5):
    return np.linalg.qr(random_vectors(seed, dimension, dimension))[0]


def collapsed(count=COUNT, dimension=DIMENSION):
    """Every vector is a multiple of one: every cosine is 1."""
    direction = np.arange(1.0, dimension + 1)
    return Space("collapsed", {language: np.outer(np.arange(1.0, count + 1), direction) for language in ("aa", "bb")})


def table_words(vectors):
    """TableWords of {language: float [N, d]}, words a0, a1, ... as symbols of a table."""
    symbols = [f"{language[0]}{k}" for language, own in vectors.items() for k in range(len(own))]
    table = EmbeddingTable(symbols, torch.from_numpy(np.concatenate(list(vectors.values()))), "table.vec")
    ranks = {
        language: rank_table(language, [f"{language[0]}{k}" for k in range(len(own))])
        for language, own in vectors.items()
    }
    return look_up(table, ranks, 10**6)
