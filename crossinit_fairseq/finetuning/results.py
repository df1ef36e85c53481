"""Scores of fine-tuned systems: by language, over seeds, with the gap between English and the others."""

import logging
import os
import statistics
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.answer_scores import score_answers
from crossinit_fairseq.finetuning.baselines import WordOverlap, likeliest_sentence, majority_label
from crossinit_fairseq.finetuning.nli_files import Pair, read_pairs
from crossinit_fairseq.finetuning.predictions import read_answers, read_labels
from crossinit_fairseq.finetuning.published import published_rows
from crossinit_fairseq.finetuning.qa_files import Question, read_questions
from crossinit_fairseq.languages import base_language, language_pair
from crossinit_fairseq.scoring.consistency import likely_language

logger = logging.getLogger(__name__)

FORMATS = {"xnli": "crossinit-score xnli 1", "mlqa": "crossinit-score mlqa 1"}
METRICS = {"xnli": {"accuracy": "accuracy"}, "mlqa": {"f1": "F1", "em": "EM"}}
Scores = Dict[str, float]  # of one metric: {language: percent}


# of XNLI, among which are MLQA's
_LANGUAGES = tuple("ar bg de el en es fr hi ru sw th tr ur vi zh".split())


def _warn_of_another_language(texts: Mapping[str, Sequence[str]], paths: Mapping[str, str]) -> None:
    """Warn of text that reads as another language than it is called, of the same script too.

    texts: {language: its sentences}; paths: {language: of the file}.
    """
    for language, lines in texts.items():
        candidates = {base_language(language): language, **{other: other for other in _LANGUAGES}}
        found = likely_language(lines, [*candidates])
        if found and found != base_language(language):
            logger.warning(f"{paths[language]} reads as {found}, not as {language}: is it the text of that language?")


def xnli_result(
    systems: Mapping[str, Sequence[str]], references: Mapping[str, str], train: Optional[Sequence[Pair]] = None
) -> Dict[str, Any]:
    """Accuracy by language.

    systems: {name: folders, one for each seed, that hold LANG.txt}; references: {language: file of pairs}; train: the
    pairs trained on, for the baselines. Raises InputError for a file that is missing or does not fit.
    """
    pairs = {language: read_pairs(path, language) for language, path in references.items()}
    _warn_of_another_language({language: [pair.premise for pair in own] for language, own in pairs.items()}, references)
    for language, path in references.items():
        if any(pair.label is None for pair in pairs[language]):
            raise InputError(f"{path} has pairs without a label: scoring needs all of them")

    def score(folder: str) -> Dict[str, Scores]:
        return {
            "accuracy": {
                language: accuracy(read_labels(os.path.join(folder, language + ".txt"), len(own)), own)
                for language, own in pairs.items()
            }
        }

    baselines = {}
    if train:
        most, overlap = majority_label(train), WordOverlap(train)
        baselines = {
            "majority class": {"accuracy": {lang: accuracy([most] * len(own), own) for lang, own in pairs.items()}},
            "word overlap": {"accuracy": {lang: accuracy(overlap.predict(own), own) for lang, own in pairs.items()}},
        }
    sizes = {language: len(own) for language, own in pairs.items()}
    return _result("xnli", systems, references, sizes, score, baselines, {})


def accuracy(predicted: Sequence[int], pairs: Sequence[Pair]) -> float:
    """Share of the pairs whose label was predicted, in percent."""
    return 100 * sum(label == pair.label for label, pair in zip(predicted, pairs)) / len(pairs)


def mlqa_result(
    systems: Mapping[str, Sequence[str]], references: Mapping[str, str], rules: str = "mlqa"
) -> Dict[str, Any]:
    """F1 and exact match by language, with the baseline of word overlap.

    systems: {name: folders, one for each seed, that hold LANG.json}; references: {language of the paragraphs, or
    CONTEXT-QUESTION: file of questions}; rules: see answer_scores. Raises InputError.
    """
    questions = {name: read_questions(path, *context_and_question(name)) for name, path in references.items()}
    unanswered: Dict[str, int] = {}

    def score(folder: str) -> Dict[str, Scores]:
        return scores_of(lambda name: read_answers(os.path.join(folder, name + ".json")), folder)

    def scores_of(answers: Callable[[str], Mapping[str, str]], folder: str) -> Dict[str, Scores]:
        scores: Dict[str, Scores] = {"f1": {}, "em": {}}
        for name, own in questions.items():
            right = {question.id: [answer.text for answer in question.answers] for question in own}
            found = score_answers(answers(name), right, context_language(name), rules)
            unanswered[os.path.join(folder, name)] = int(found["unanswered"])
            for metric in scores:
                scores[metric][name] = found[metric]
        return scores

    def overlap(name: str) -> Dict[str, str]:
        return {question.id: likeliest_sentence(question) for question in questions[name]}

    paragraphs = {name: [question.context for question in own] for name, own in questions.items()}
    _warn_of_another_language(
        {context_language(name): own for name, own in paragraphs.items()},
        {context_language(name): path for name, path in references.items()},
    )
    for name, path in references.items():
        _check_answers(questions[name], path)
    baselines = {"sentence by word overlap": scores_of(overlap, "overlap")}
    sizes = {name: len(own) for name, own in questions.items()}
    result = _result("mlqa", systems, references, sizes, score, baselines, {"rules": rules})
    if rules != "mlqa":  # the table is of MLQA
        result["published"] = []
    result["unanswered"] = {name: count for name, count in unanswered.items() if count}
    return result


def _check_answers(questions: Sequence[Question], path: str) -> None:
    without = sum(not question.answers for question in questions)
    if without:
        raise InputError(f"{path} has {without:,} questions without an answer: scoring needs the answers")


def context_and_question(name: str) -> Tuple[str, str]:
    """The languages of paragraphs and questions: ("de", "de") of "de", ("de", "en") of "de-en"."""
    try:
        return language_pair(name)
    except InputError:
        return name, name


def context_language(name: str) -> str:
    """The language of the paragraphs: "de" of "de", and of "de-en"."""
    return context_and_question(name)[0]


def _one_language(name: str) -> str:
    """The code of the language that paragraphs and questions are both of; "" where they are of two."""
    context, asked = map(base_language, context_and_question(name))
    return context if context == asked else ""


def _result(
    task: str,
    systems: Mapping[str, Sequence[str]],
    references: Mapping[str, str],
    sizes: Dict[str, int],
    score: Callable[[str], Dict[str, Scores]],
    baselines: Dict[str, Dict[str, Scores]],
    more: Dict[str, Any],
) -> Dict[str, Any]:
    scored = {name: summary([score(folder) for folder in folders]) for name, folders in systems.items()}
    # the tables have questions in the language of the paragraphs
    bases = {_one_language(name): name for name in references if _one_language(name)}
    return {
        "format": FORMATS[task],
        "task": task,
        "references": dict(references),
        "sizes": sizes,
        "systems": scored,
        "folders": {name: list(folders) for name, folders in systems.items()},
        "baselines": {name: summary([scores]) for name, scores in baselines.items()},
        "published": published_rows(task, bases),
        **more,
    }


def summary(seeds: Sequence[Dict[str, Scores]]) -> Dict[str, Any]:
    """{metric: {"languages": {language: statistics}, "average", "gap"}} of the scores of all seeds.

    average: over the languages; gap: the score of English less the mean of the others, None without English or others.
    Statistics are {"mean", "deviation" (of the sample; None for one seed), "seeds": [a score for each]}.
    """
    return {metric: _summary([scores[metric] for scores in seeds]) for metric in seeds[0]}


def _summary(seeds: List[Scores]) -> Dict[str, Any]:
    names = list(seeds[0])
    english = next((name for name in names if _one_language(name) == "en"), None)
    others = [name for name in names if name != english]
    gap = None
    if english and others:
        gap = _statistics([scores[english] - statistics.mean(scores[name] for name in others) for scores in seeds])
    return {
        "languages": {name: _statistics([scores[name] for scores in seeds]) for name in names},
        "average": _statistics([statistics.mean(scores.values()) for scores in seeds]),
        "gap": gap,
    }


def _statistics(values: List[float]) -> Dict[str, Any]:
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.mean(values), "deviation": deviation, "seeds": values}
