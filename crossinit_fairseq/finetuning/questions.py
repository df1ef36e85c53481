"""Questions as a model reads them, in windows over the paragraph, and answers out of the scores that it gives."""

import logging
from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.encoding import (
    SPECIAL,
    Encoded,
    PairForm,
    PieceEncoder,
    Place,
    tokens_of_answer,
    windows,
)
from crossinit_fairseq.finetuning.qa_files import Question

logger = logging.getLogger(__name__)

NOWHERE = (0, 0)  # the target of a window that does not hold the answer: its <s>


@dataclass(frozen=True)
class Window:
    """A part of a question's paragraph, with the question before it.

    question: its number; encoded: the input; places: for each token of the part, its characters in the whole paragraph;
    target: first and last token of the answer in the input, NOWHERE if it is not in this part, None if it is not known.
    """

    question: int
    encoded: Encoded
    places: List[Place]
    target: Optional[Place]


@dataclass(frozen=True)
class Windowing:
    """The lengths, in tokens: of an input, of a question at most, from a window to the next."""

    length: int
    question: int
    stride: int

    def check(self) -> None:
        """Raise InputError unless windows have room, and no token is skipped between them."""
        room = self.length - SPECIAL - self.question
        if self.question < 1 or room < 1:
            raise InputError(
                f"--max-length is {self.length} and --max-question-length {self.question}: with {SPECIAL} special "
                "tokens there is no room for the paragraph"
            )
        if not 1 <= self.stride <= room:
            raise InputError(
                f"--doc-stride is {self.stride}: it must be 1 or more, and {room} at most, a window's room "
                f"for the paragraph: --max-length {self.length} less --max-question-length {self.question} "
                f"and {SPECIAL} special tokens"
            )


class QuestionEncoder:
    """Makes windows of questions. pieces: cuts the text; form: writes the inputs; windowing: their lengths."""

    def __init__(self, pieces: PieceEncoder, form: PairForm, windowing: Windowing):
        self.pieces, self.form, self.windowing = pieces, form, windowing

    def encode(self, number: int, question: Question, context_language: str, question_language: str) -> List[Window]:
        """The windows of a question. Of several answers the first one that stands in its place is the target."""
        asked = self.pieces.encode(question.question)[: self.windowing.question]
        tokens, places = self.pieces.encode_with_places(question.context)
        answer = self._answer(question, places)
        room = self.windowing.length - SPECIAL - len(asked)
        found_windows = []
        for begin, end in windows(len(tokens), room, self.windowing.stride):
            encoded = self.form.join(asked, tokens[begin:end], question_language, context_language)
            target = None
            if answer is not None:
                target = NOWHERE
                if begin <= answer[0] and answer[1] < end:
                    target = (answer[0] - begin + encoded.second, answer[1] - begin + encoded.second)
            found_windows.append(Window(number, encoded, places[begin:end], target))
        return found_windows

    @staticmethod
    def _answer(question: Question, places: Sequence[Place]) -> Optional[Place]:
        for answer in question.placed_answers():
            found = tokens_of_answer(places, answer.start, answer.start + len(answer.text))
            if found is not None:
                return found
        return None

    @staticmethod
    def without_tokens(windows: Sequence[Window]) -> bool:
        """Whether no token is left of a question or of its paragraph, whose windows are given."""
        part = windows[0].encoded
        return not part.length or len(part.tokens) == part.length + SPECIAL

    def training_windows(self, questions: Sequence[Question], language: str, path: str) -> List[Window]:
        """The windows of the questions whose answer is found in its paragraph; the others are counted in the log.

        Raises InputError when no question is left.
        """
        found_windows, lost = [], 0
        for number, question in enumerate(questions):
            own = self.encode(number, question, language, language)
            # an answer may lie across the end of each window
            if self.without_tokens(own) or all(window.target in (None, NOWHERE) for window in own):
                lost += 1
            else:
                found_windows += own
        if lost:
            logger.warning(
                f"{path}: left out {lost:,} of {len(questions):,} questions: their answer does not stand in the "
                "paragraph where the file says, or in no window as a whole, or no token is left of the question"
            )
        if not found_windows:
            raise InputError(f"{path}: no answer was found in its paragraph: nothing to train on")
        return found_windows


def best_span(start: np.ndarray, end: np.ndarray, longest: int) -> Tuple[float, int, int]:
    """The best first and last token by the sum of their scores: (score, first, last).

    start, end: float [T]; an answer has `longest` tokens at most. The first among equals.
    """
    best = (-np.inf, 0, 0)
    for length in range(min(longest, len(start))):
        sums = start[: len(start) - length] + end[length:]
        first = int(np.argmax(sums))
        if sums[first] > best[0]:
            best = (float(sums[first]), first, first + length)
    return best


def answer_text(question: Question, window: Window, first: int, last: int) -> str:
    """The characters of the paragraph, as they stand there, from one token of a window's part to another."""
    return question.context[window.places[first][0] : window.places[last][1]].strip()
