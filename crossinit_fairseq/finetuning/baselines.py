"""What XNLI and MLQA can be answered with without a model: the scores below which nothing was learnt."""

import re
from collections import Counter
from typing import Dict, List, Sequence, Tuple

from crossinit_fairseq.finetuning.nli_files import Pair
from crossinit_fairseq.finetuning.qa_files import Question

_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"(?<=[.!?\u0964\u3002\uff01\uff1f])\s*")
_STEPS = 10  # of the share of words that hypothesis and premise have in common


def majority_label(train: Sequence[Pair]) -> int:
    """The most frequent label of the training pairs; the first of LABELS among equals."""
    counts = Counter(pair.label for pair in train)
    return max(sorted(label for label in counts if label is not None), key=lambda label: counts[label])


class WordOverlap:
    """Predicts the label from the share of the hypothesis's words that stand in the premise, whatever the language.

    The share falls into one of eleven steps; each step answers with the label that is most frequent there among the
    training pairs, or with the most frequent of all where there is none.
    """

    def __init__(self, train: Sequence[Pair]):
        by_step: Dict[int, List[Pair]] = {}
        for pair in train:
            by_step.setdefault(_step(pair), []).append(pair)
        self.default = majority_label(train)
        self.labels = {step: majority_label(pairs) for step, pairs in by_step.items()}

    def predict(self, pairs: Sequence[Pair]) -> List[int]:
        """Numbers of LABELS, one for each pair."""
        return [self.labels.get(_step(pair), self.default) for pair in pairs]


def _step(pair: Pair) -> int:
    premise, hypothesis = set(_words(pair.premise)), _words(pair.hypothesis)
    return round(_STEPS * sum(word in premise for word in hypothesis) / max(len(hypothesis), 1))


def likeliest_sentence(question: Question) -> str:
    """The sentence of the paragraph that has most words of the question, the shortest among equals."""
    asked = set(_words(question.question))

    def fitness(sentence: str) -> Tuple[int, int]:
        return len(asked & set(_words(sentence))), -len(sentence)

    return max((part for part in _SENTENCE_END.split(question.context) if part.strip()), key=fitness, default="")


def _words(text: str) -> List[str]:
    return _WORD.findall(text.lower())
