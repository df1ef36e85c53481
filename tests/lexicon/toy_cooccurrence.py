"""Co-occurrence of an invented language, and of the same language in other words."""

import numpy as np
from scipy import sparse

from crossinit_fairseq.lexicon.cooccurrence import CoOccurrence


def toy_language(words=300, topics=12, seed=0):
    """CoOccurrence of words with Zipf's counts that keep company by topic."""
    random = np.random.default_rng(seed)
    counts = np.sort(np.maximum((60000 / (np.arange(words) + 3)).astype(np.int64), 5))[::-1]
    share = random.dirichlet(np.full(topics, 0.15), size=words)
    expected = (share @ share.T) * np.sqrt(np.outer(counts, counts)) * 0.3
    window = random.poisson(expected)
    window = np.triu(window) + np.triu(window, 1).T
    left = random.poisson(expected / 15)
    place = random.random(words)
    names = [f"w{number}" for number in range(words)]
    return CoOccurrence(
        "en",
        names,
        counts,
        int(counts.sum()),
        sparse.csr_matrix(window.astype(np.float64)),
        sparse.csr_matrix(left.astype(np.int64)),
        place,
    )


def in_other_words(language, seed=1, kept=(), noise=0.0):
    """The same language with other words, in another order of ties, and other counts by a factor of about e ** noise.

    kept: numbers of the words that are spelt alike. Returns (CoOccurrence, int [N], where word k has gone to).
    """
    random = np.random.default_rng(seed)
    counts = np.maximum((language.counts * np.exp(noise * random.normal(size=len(language)))).astype(np.int64), 5)
    order = np.lexsort((random.random(len(counts)), -counts))
    names = [name if number in kept else f"x{number * 7919 % 100003}" for number, name in enumerate(language.words)]
    gone = np.empty(len(order), dtype=np.int64)
    gone[order] = np.arange(len(order))
    other = CoOccurrence(
        "ro",
        [names[number] for number in order],
        counts[order],
        int(counts.sum()),
        language.window[order][:, order].tocsr(),
        language.left[order][:, order].tocsr(),
        language.place[order],
    )
    return other, gone
