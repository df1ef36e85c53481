"""F1 and exact match of answers, by the rules of MLQA (Lewis et al., 2020) and of SQuAD 1.1 (Rajpurkar et al., 2016).

Both compare texts after they are made alike: small letters, no punctuation, no articles, single spaces. What MLQA adds:
the articles of the language, punctuation of all of Unicode, and Chinese characters as words of their own.
"""

import re
import string
import sys
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language

# MLQA's rules name these languages; the articles of the others are none
_ARTICLES = {
    "en": r"\b(a|an|the)\b",
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "vi": r"\b(của|là|cái|chiếc|những)\b",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    # the Arabic article is the beginning of a word; the rules take the two letters away wherever they stand
    "ar": r"\sال^|ال",
    "hi": None,
    "zh": None,
}
_CHINESE = re.compile("[\u4e00-\u9fa5]")
_SQUAD_PUNCTUATION = frozenset(string.punctuation)


def normaliser(language: str, rules: str = "mlqa") -> Callable[[str], List[str]]:
    """A function that gives the words of an answer that count.

    language: of the answer, which is that of the paragraph; rules: "mlqa" or "squad", whose articles are the English
    ones in every language, and which knows ASCII punctuation only. Raises InputError where MLQA has no rules for a
    language.
    """
    if rules == "squad":
        return lambda text: _plain_words(text, _SQUAD_PUNCTUATION, _ARTICLES["en"])
    base = base_language(language)
    if base not in _ARTICLES:
        raise InputError(
            f"MLQA has no rules for {language}, only for {', '.join(sorted(_ARTICLES))}: ask for SQuAD's rules, as for "
            "XQuAD (--rules squad)"
        )
    if base == "zh":
        return _chinese_words
    return lambda text: _plain_words(text, _unicode_punctuation(), _ARTICLES[base])


def _plain_words(text: str, punctuation: FrozenSet[str], articles: Optional[str]) -> List[str]:
    text = "".join(character for character in text.lower() if character not in punctuation)
    return (re.sub(articles, " ", text) if articles else text).split()


def _chinese_words(text: str) -> List[str]:
    """Every Chinese character is a word, and so is what stands between them and spaces ("mixed segmentation")."""
    punctuation = _unicode_punctuation()
    text = "".join(character for character in text.lower() if character not in punctuation)
    return _CHINESE.sub(lambda match: f" {match.group()} ", text).split()


@lru_cache(maxsize=None)
def _unicode_punctuation() -> FrozenSet[str]:
    """All characters of Unicode's categories P, and ASCII punctuation, some of which are symbols (`$`, `+`)."""
    every = map(chr, range(sys.maxunicode + 1))
    return frozenset(c for c in every if unicodedata.category(c).startswith("P")) | _SQUAD_PUNCTUATION


def exact_match(prediction: Sequence[str], answer: Sequence[str]) -> float:
    """1.0 if the words that count are the same, else 0.0. Both as a `normaliser` gives them."""
    return float(list(prediction) == list(answer))


def f1(prediction: Sequence[str], answer: Sequence[str]) -> float:
    """2 PR / (P + R) of the words that both have, each as often as both have it; 0.0 if they share none."""
    same = sum((Counter(prediction) & Counter(answer)).values())
    if not same:
        return 0.0
    precision, recall = same / len(prediction), same / len(answer)
    return 2 * precision * recall / (precision + recall)


def score_answers(
    predictions: Mapping[str, str], answers: Mapping[str, Sequence[str]], language: str, rules: str = "mlqa"
) -> Dict[str, float]:
    """Score answers over all questions.

    predictions: {id: text}; answers: {id: right answers, at least one}; language: of the paragraphs. A question counts
    with the best of its answers, F1 and exact match each for itself; one without a prediction counts 0, and is counted.
    Returns {"f1", "em" in percent, "questions", "unanswered"}. Raises InputError, see normaliser.
    """
    words = normaliser(language, rules)
    total = {"f1": 0.0, "em": 0.0}
    unanswered = 0
    for identity, texts in answers.items():
        if identity not in predictions:
            unanswered += 1
            continue
        prediction, right = words(predictions[identity]), [words(text) for text in texts]
        total["f1"] += max((f1(prediction, answer) for answer in right), default=0.0)
        total["em"] += max((exact_match(prediction, answer) for answer in right), default=0.0)
    count = max(len(answers), 1)
    return {
        "f1": 100 * total["f1"] / count,
        "em": 100 * total["em"] / count,
        "questions": len(answers),
        "unanswered": unanswered,
    }
