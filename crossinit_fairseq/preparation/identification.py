"""Which language a line is in: py3langid's model for many lines at a time, and words that tell Nepali from Hindi."""

import logging
import re
from typing import Dict, List, Optional, Sequence

import numpy as np

from crossinit_fairseq.errors import InputError

# A line is told from these: the neighbours of each language of the recipes and the world's large ones. With all 97 of
# the model a few lines more of true text are lost.
CANDIDATES = ("ar bg ca cs de el en es fr hi hu it ja mr nb ne nl pl pt ro ru sq sr sv tr uk zh").split()
# Small words that Nepali and Hindi do not share tell them apart where their other words are the same:
# nats for each such word; scripts/bench/language_filter.py --no-function-words says what they are worth
FUNCTION_WORD_WEIGHT = 4.0
_WORD = re.compile("[\u0900-\u0963\u0966-\u097f]+")
_FUNCTION_WORDS = {
    "hi": frozenset(
        "है हैं था थे थी थीं हूँ हूं में से ने और नहीं भी यह वह ये वे किया गया गयी हुए हुआ हुई जाता करने करना "
        "करता करते लिए इस उस जो तो की के तक साथ अपने होता सकता रहा रहे मैं हम आप".split()
    ),
    "ne": frozenset(
        "छ छन् छैन छु थियो थिए थिएन मा र पनि यो त्यो यस त्यस गरेको भएको रहेको गर्न गर्ने गर्दै हुने हुन्छ हुन् "
        "हुँदा गरी भने भन्ने भयो लागि लाई हरू हरु नै बाट देखि सँग थप".split()
    ),
}
# Nepali writes its postpositions and its verbs' endings to the word; the short ones only after a long stem, since Hindi
# has उसको, सीमा, टीका
_ENDINGS = tuple("लाई हरू हरु बाट सँग एको न्छ न्छन् ँछ र्छ नुहोस् न्थ्यो ियो ँदै".split())
_SHORT_ENDINGS, _STEM = ("को", "मा", "ले", "का"), 4


class Identifier:
    """py3langid's naive Bayes model over byte n-grams, as one table of log-probabilities per state of its automaton.

    A line's scores are the sum over its bytes of the row of the state that the byte leads to. The library does the
    same for one line at a time with a vector of 7,480 counts.
    """

    def __init__(self, languages: Optional[Sequence[str]] = None):
        """languages: the codes to tell apart (default: all 97).

        Raises ValueError for one the model lacks, and InputError where the library is not installed.
        """
        try:
            from py3langid.langid import MODEL_FILE, LanguageIdentifier
        except ImportError as error:
            raise InputError(f"preparing text needs {error.name}: pip install 'crossinit_fairseq[recipes]'") from None
        logging.getLogger("py3langid").setLevel(logging.WARNING)
        model = LanguageIdentifier.from_pickled_model(MODEL_FILE)
        model.set_languages(languages)
        self.languages = list(model.nb_classes)
        self._next = np.asarray(model.tk_nextmove, dtype=np.int32)
        self._prior = np.asarray(model.nb_pc, dtype=np.float32)
        self._rows = np.zeros((len(self._next) // 256, len(self.languages)), dtype=np.float32)
        for state, features in model.tk_output.items():
            self._rows[state] = model.nb_ptc[list(features)].sum(axis=0)

    def scores(self, lines: Sequence[str]) -> np.ndarray:
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


def count_function_words(line: str) -> Dict[str, int]:
    """{language: number of words of a line that only it has}, for ne and hi."""
    words = _WORD.findall(line)
    nepali = _FUNCTION_WORDS["ne"]
    return {
        "hi": sum(word in _FUNCTION_WORDS["hi"] for word in words),
        "ne": sum(
            word in nepali or word.endswith(_ENDINGS) or (len(word) >= _STEM + 2 and word.endswith(_SHORT_ENDINGS))
            for word in words
        ),
    }


def weigh_function_words(scores: np.ndarray, languages: List[str], lines: Sequence[str]) -> None:
    """Add FUNCTION_WORD_WEIGHT for each such word to the scores, float [N, languages], of N lines.

    Only of lines where an Indian language leads, and only where both Nepali and Hindi are among the languages.
    """
    rows = [languages.index(language) for language in _FUNCTION_WORDS if language in languages]
    if len(rows) < len(_FUNCTION_WORDS):
        return
    indian = [languages.index(language) for language in ("hi", "mr", "ne") if language in languages]
    leads = scores.argmax(axis=1)
    for k, line in enumerate(lines):
        if leads[k] in indian:
            for row, number in zip(rows, count_function_words(line).values()):
                scores[k, row] += FUNCTION_WORD_WEIGHT * number
