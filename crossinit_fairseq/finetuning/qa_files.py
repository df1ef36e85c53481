"""Files of extractive question answering: paragraphs, questions, answers. SQuAD 1.1, MLQA and XQuAD."""

import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Tuple

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.language_files import (
    check_characters,
    json_lines,
    json_rows,
    parquet_rows,
    read_json,
    warn_of_another_script,
)
from crossinit_fairseq.text_files import numbered_lines


@dataclass(frozen=True)
class Answer:
    """An answer and its place: the number of the character in the paragraph, from 0, at which it begins."""

    text: str
    start: int


@dataclass(frozen=True)
class Question:
    """A question on a paragraph, with the answers that count as right; none where the file tells none."""

    id: str
    context: str
    question: str
    answers: Tuple[Answer, ...]

    def placed_answers(self) -> List[Answer]:
        """The answers that stand in the paragraph where the file says; blanks alone are none."""
        return [
            answer
            for answer in self.answers
            if answer.text.strip() and self.context[answer.start : answer.start + len(answer.text)] == answer.text
        ]


def read_questions(
    path: str, language: Optional[str] = None, asked: Optional[str] = None, by_id: bool = True
) -> List[Question]:
    """Read the questions of a file, in their order: SQuAD's JSON, or Hugging Face's rows as Parquet or JSON.

    language: of the paragraphs, if it is to be checked; asked: of the questions, where it is another. The log says when
    most letters are of another script than the language's. by_id: whether each question has an id of its own, by which
    its answer is found; of questions that are only trained on two may share one.

    An answer may stand elsewhere than the file says (see Question.placed_answers): training leaves such questions out,
    scoring needs the text alone. Raises InputError for a file that cannot be read, a question that lacks something or
    has the id of another (both with their place), and for a file without questions.
    """
    questions: List[Question] = []
    seen = set()
    for place, row in _rows(path):
        question = _question(row, place)
        if by_id and question.id in seen:
            raise InputError(f"{place}: the id {question.id} stands there a second time: take one of them out")
        seen.add(question.id)
        questions.append(question)
    if not questions:
        raise InputError(f"{path} holds no question")
    for texts, code, what in (
        ([question.context for question in questions], language, "paragraphs"),
        ([question.question for question in questions], asked or language, "questions"),
    ):
        if code:
            warn_of_another_script(code, texts, f"{path}, {what}")
    return questions


def _rows(path: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    if path.endswith(".parquet"):
        return parquet_rows(path)
    if path.endswith(".jsonl"):
        return json_lines(path)
    return json_rows(path) if _is_of_rows(path) else _squad_rows(path)


def _is_of_rows(path: str) -> bool:
    """Whether a JSON file has a list of questions, or one a line, instead of SQuAD's articles."""
    first = next((line for _, line in numbered_lines(path)), "").lstrip()
    if first.startswith("["):
        return True
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and "context" in row


def _squad_rows(path: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """{"data": [{"paragraphs": [{"context": ..., "qas": [{"id": ..., "question": ..., "answers": [...]}]}]}]}"""
    whole = read_json(path)
    for a, article in enumerate(_items(whole, "data", path), 1):
        for p, paragraph in enumerate(_items(article, "paragraphs", f"{path}, article {a}"), 1):
            place = f"{path}, article {a}, paragraph {p}"
            for q, row in enumerate(_items(paragraph, "qas", place), 1):
                if not isinstance(row, dict):
                    raise InputError(f"{place}, question {q}: no JSON object but {str(row)[:40]!r}")
                yield f"{place}, question {q}", dict(row, context=paragraph.get("context"))


def _items(holder: Any, key: str, place: str) -> List[Any]:
    items = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(items, list):
        raise InputError(f"{place} has no list `{key}`: give a file in the format of SQuAD 1.1")
    return items


def _question(row: Dict[str, Any], place: str) -> Question:
    for key in ("context", "question"):
        if not isinstance(row.get(key), str):
            raise InputError(f"{place} has no text `{key}`")
    if not isinstance(row.get("id"), (str, int)):
        raise InputError(f"{place} has no `id`")
    check_characters((str(row["id"]), row["context"], row["question"]), place)
    answers = row.get("answers") or []
    if isinstance(answers, dict):  # Hugging Face: a list of texts and one of places
        texts, starts = answers.get("text"), answers.get("answer_start")
        if not isinstance(texts, (list, tuple)) or not isinstance(starts, (list, tuple)) or len(texts) != len(starts):
            raise InputError(f"{place}: `answers` needs lists `text` and `answer_start` of one length")
        answers = [{"text": text, "answer_start": start} for text, start in zip(texts, starts)]
    if not isinstance(answers, list):
        raise InputError(f"{place}: `answers` is no list")
    return Question(str(row["id"]), row["context"], row["question"], tuple(_answer(a, place) for a in answers))


def _answer(answer: Any, place: str) -> Answer:
    text = answer.get("text") if isinstance(answer, dict) else None
    start = answer.get("answer_start") if isinstance(answer, dict) else None
    if not isinstance(text, str) or not isinstance(start, int) or isinstance(start, bool) or start < 0:
        raise InputError(f"{place}: an answer needs a `text` and an `answer_start` of 0 or more")
    return Answer(text, start)
