"""Which language a line is in: the model of py3langid, for many lines at a time."""

import logging
import sys

import numpy as np

try:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier
except ImportError as error:
    sys.exit("error: preparing text needs {}: pip install 'crossinit_fairseq[recipes]'".format(error.name))

logging.getLogger("py3langid").setLevel(logging.WARNING)

# A line is told from these: the neighbours of each language of the recipes and the world's large ones. Of
# newstest2016 a few lines fewer are lost than with all 97 of the model (Romanian 0.31 instead of 0.36 %).
CANDIDATES = ("ar bg ca cs de el en es fr hi hu it ja mr nb ne nl pl pt ro ru sq sr sv tr uk zh").split()


class Identifier:
    """py3langid's naive Bayes model over byte n-grams, as one table of log-probabilities per state of its automaton.

    A line's scores are the sum over its bytes of the row of the state that the byte leads to. The library does the
    same for one line at a time with a vector of 7,480 counts; for lines side by side this took 6 instead of 55
    microseconds a line.
    """

    def __init__(self, languages=None):
        """languages: the codes to tell apart (default: all 97). Raises ValueError for one the model lacks."""
        model = LanguageIdentifier.from_pickled_model(MODEL_FILE)
        model.set_languages(languages)
        self.languages = list(model.nb_classes)
        self._next = np.asarray(model.tk_nextmove, dtype=np.int32)
        self._prior = np.asarray(model.nb_pc, dtype=np.float32)
        self._rows = np.zeros((len(self._next) // 256, len(self.languages)), dtype=np.float32)
        for state, features in model.tk_output.items():
            self._rows[state] = model.nb_ptc[list(features)].sum(axis=0)

    def scores(self, lines):
        """List of N str -> float32 [N, languages]: log-probabilities up to a constant for each line, in nats."""
        data = [line.encode("utf-8") for line in lines]
        sizes = np.array([len(line) for line in data], dtype=np.int64)
        order = np.argsort(-sizes, kind="stable")
        text = np.frombuffer(b"".join(data[k] for k in order), dtype=np.uint8)
        begins = np.cumsum(sizes[order]) - sizes[order]
        # how many lines have a byte at each position; they come first in the order
        alive = np.searchsorted(-sizes[order], -np.arange(sizes.max(initial=0)), side="left")
        state = np.zeros(len(data), dtype=np.int32)
        found = np.tile(self._prior, (len(data), 1))
        for position, count in enumerate(alive):
            state[:count] = self._next[(state[:count] << 8) + text[begins[:count] + position]]
            found[:count] += self._rows[state[:count]]
        result = np.empty_like(found)
        result[order] = found
        return result
