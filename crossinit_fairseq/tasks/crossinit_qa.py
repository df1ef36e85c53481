"""The task `crossinit_qa`: answers out of paragraphs, trained on one language and read in every other."""

import logging
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch
import torch.nn as nn
from fairseq.data import Dictionary
from fairseq.logging import metrics
from fairseq.models import BaseFairseqModel
from fairseq.tasks import register_task

from crossinit_fairseq.criterions.span_prediction import span_log_probabilities
from crossinit_fairseq.data.datasets.examples import Example
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.answer_scores import normaliser, score_answers
from crossinit_fairseq.finetuning.encoding import PairForm, PieceEncoder
from crossinit_fairseq.finetuning.qa_files import Question, read_questions
from crossinit_fairseq.finetuning.questions import (
    NOWHERE,
    QuestionEncoder,
    Window,
    Windowing,
    answer_text,
    best_span,
)
from crossinit_fairseq.models.fine_tuned import SpanHead
from crossinit_fairseq.tasks.fine_tuning import FineTuningConfig, FineTuningTask, report_training_files

logger = logging.getLogger(__name__)

Asked = Tuple[Question, List[Window]]


@dataclass
class CrossInitQaConfig(FineTuningConfig):
    """Options of `--task crossinit_qa`."""

    max_length: int = field(
        default=384,
        metadata={
            "help": "longest input, in sub-tokens: question, part of the paragraph, special tokens (XTREME: 384)"
        },
    )
    max_question_length: int = field(
        default=64, metadata={"help": "a longer question is cut to so many sub-tokens (BERT: 64)"}
    )
    doc_stride: int = field(
        default=128,
        metadata={"help": "a paragraph that does not fit is read in windows, each so many sub-tokens on (XTREME: 128)"},
    )
    max_answer_length: int = field(
        default=30, metadata={"help": "longest answer that is given, in sub-tokens (BERT: 30)"}
    )


@register_task("crossinit_qa", dataclass=CrossInitQaConfig)
class CrossInitQaTask(FineTuningTask):
    """Find the answer to a question in a paragraph (Rajpurkar et al., 2016; Lewis et al., 2020).

    Goes with `--criterion span_prediction`; choose a checkpoint by `f1`, which is of the languages trained on. A
    window without the answer has its first token as the target. Of all windows of a question the span of the highest
    probability is the answer, and the characters of the paragraph from its first to its last token are its text.
    """

    cfg: CrossInitQaConfig
    name = "crossinit_qa"
    scores = ("f1", "em")
    criterion = "span_prediction"

    def __init__(self, cfg: CrossInitQaConfig, dictionary: Dictionary, form: PairForm, pieces: PieceEncoder):
        super().__init__(cfg, dictionary, form, pieces)
        windowing = Windowing(cfg.max_length, cfg.max_question_length, cfg.doc_stride)
        windowing.check()
        if cfg.max_answer_length < 1:
            raise InputError(f"--max-answer-length is {cfg.max_answer_length}: give 1 or more")
        self.encoder = QuestionEncoder(pieces, form, windowing)
        self._asked: Dict[int, Asked] = {}  # by the numbers of validation examples
        self._rules = {language: _rules(language) for language, _ in self.valid_files}

    def build_head(self, dimensions: int, dropout: float) -> nn.Module:
        """Two scores for each token."""
        return SpanHead(dimensions)

    def training_examples(self) -> List[Example]:
        """The windows of all files; questions whose answer is not found are counted in the log."""
        examples: List[Example] = []
        for language, path in self.train_files:
            questions = read_questions(path, language, by_id=False)
            windows = self.encoder.training_windows(questions, language, path)
            examples += [_example(len(examples) + number, [window]) for number, window in enumerate(windows)]
        report_training_files(self.train_files, len(examples), 0)
        return examples

    def evaluation_examples(self, language: str, path: str) -> List[Example]:
        """All questions of a file, each with its windows. Raises InputError for one without an answer."""
        examples, asked = [], []
        for question in read_questions(path, language):
            if not question.answers:
                raise InputError(f"{path}: the question {question.id} has no answer to validate with")
            number = len(self._asked)
            windows = self.encoder.encode(number, question, language, language)
            self._asked[number] = (question, windows)
            examples.append(_example(number, windows))
            asked.append(windows)
        self._say_without_tokens(asked, path)
        return examples

    def score(self, sample: Dict[str, Any], model: BaseFairseqModel) -> Dict[str, float]:
        """Sums of F1 and exact match over the questions of a validation batch, and their number."""
        # asked again: fairseq's criterion hands on no scores
        found = self._answers(model, sample, self._asked)
        language = sample["group"]
        answers = {str(number): [a.text for a in self._asked[number][0].answers] for number in found}
        given = {str(number): text for number, text in found.items()}
        scores = score_answers(given, answers, language, self._rules[language])
        return {
            "f1": scores["f1"] * len(found),
            "em": scores["em"] * len(found),
            "questions": len(found),
        }

    def log_scores(self, logging_outputs: Sequence[Dict[str, Any]], end: str) -> None:
        """f1 and em, in percent, by the official rules."""
        count = sum(log.get("questions" + end, 0) for log in logging_outputs)
        if count:
            for key in ("f1", "em"):
                total = sum(log.get(key + end, 0) for log in logging_outputs)
                metrics.log_scalar(key + end, total / count, count, round=2)

    def predict(
        self,
        model: BaseFairseqModel,
        questions: Sequence[Question],
        language: str,
        question_language: Optional[str] = None,
        max_tokens: int = 8192,
    ) -> Dict[str, str]:
        """The answer to each question: {id: text}.

        language: of the paragraphs; question_language: of the questions, where it is another (MLQA's G-XLT). Raises
        InputError for a language without an embedding.
        """
        asked_in = question_language or language
        for name in (language, asked_in):
            self.form.check_language(name)
        asked = {
            number: (question, self.encoder.encode(number, question, language, asked_in))
            for number, question in enumerate(questions)
        }
        self._say_without_tokens([windows for _, windows in asked.values()], language)
        answers: Dict[int, str] = {}
        examples = [_example(number, windows) for number, (_, windows) in asked.items()]
        for sample in self.batches(examples, max_tokens):
            answers.update(self._answers(model, sample, asked))
        return {question.id: answers[number] for number, (question, _) in asked.items()}

    def _say_without_tokens(self, asked: Sequence[List[Window]], place: str) -> None:
        """Count the questions of which, or of whose paragraph, no token is left, in the log."""
        count = sum(map(self.encoder.without_tokens, asked))
        if count:
            logger.warning(
                f"{place}: of {count:,} of {len(asked):,} questions, or of their paragraphs, no token is left; "
                "without a paragraph the answer is empty"
            )

    def _answers(self, model: BaseFairseqModel, sample: Dict[str, Any], asked: Dict[int, Asked]) -> Dict[int, str]:
        """{number of the question: text} of a batch that holds all windows of its questions, in their order."""
        device = next(model.parameters()).device
        with torch.no_grad():
            scores, _ = model(**{key: value.to(device) for key, value in sample["net_input"].items()})
            _, _, second, length = sample["target"].to(device).unbind(1)
            logs = span_log_probabilities(scores, second, length).cpu().numpy()
        best: Dict[int, Tuple[float, str]] = {}
        seen: Dict[int, int] = {}
        for row, number in enumerate(sample["id"].tolist()):
            question, windows = asked[number]
            window = windows[seen.get(number, 0)]
            seen[number] = seen.get(number, 0) + 1
            best.setdefault(number, (float("-inf"), ""))
            begin, end = window.encoded.second, window.encoded.second + window.encoded.length
            if begin == end:  # a paragraph of no token
                continue
            score, first, last = best_span(logs[row, begin:end, 0], logs[row, begin:end, 1], self.cfg.max_answer_length)
            if score > best[number][0]:
                best[number] = (score, answer_text(question, window, first, last))
        return {number: text for number, (_, text) in best.items()}

    def max_positions(self) -> int:
        """Longest input, in sub-tokens."""
        return self.cfg.max_length


def _example(number: int, windows: Sequence[Window]) -> Example:
    """Inputs that stay together. Targets: first and last token of the answer, begin and length of the part."""
    languages = [window.encoded.languages for window in windows]
    targets = [(*(window.target or NOWHERE), window.encoded.second, window.encoded.length) for window in windows]
    return Example(
        number,
        [window.encoded.tokens for window in windows],
        None if languages[0] is None else languages,
        targets,
    )


def _rules(language: str) -> str:
    """MLQA's rules where they know the language, else SQuAD's."""
    try:
        normaliser(language, "mlqa")
        return "mlqa"
    except InputError:
        return "squad"
