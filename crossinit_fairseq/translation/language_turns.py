"""Whose turn it is: how many batches of which language an update takes (language sampling temperature)."""

import numpy as np


def language_turns(batches, sentences, alpha, rng):
    """The languages of every update of an epoch: int64 [updates, languages], each a language's number.

    Every update takes as many batches as there are languages. alpha None: one of each language, until the language with
    the most batches has been through. Else a batch is of language l with a chance in proportion to ``p_l ** alpha``, p_l
    being its share of all sentences (Lample and Conneau 2019, section 3.1); over the epoch each language gets its share,
    but for one batch, and the epoch is about as long as it takes the language with the most batches to be through once.

    batches, sentences: their number in each language, as a list; rng: numpy Generator.
    """
    count, largest = len(batches), int(np.argmax(batches))
    if alpha is None:
        return np.tile(np.arange(count), (batches[largest], 1))
    weights = np.asarray(sentences, dtype=np.float64)
    shares = (weights / weights.sum()) ** alpha
    shares /= shares.sum()
    updates = int(np.ceil(batches[largest] / shares[largest] / count))
    # evenly spaced points from a random start: no language is off its share by a batch, and none is rounded away always
    points = (np.arange(updates * count) + rng.random()) / (updates * count)
    drawn = np.searchsorted(np.cumsum(shares)[:-1], points, side="right")
    return rng.permutation(drawn).reshape(updates, count)
