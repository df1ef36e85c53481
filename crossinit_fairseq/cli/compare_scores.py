"""What crossinit-compare compares: the scores of one finished run, item by item."""

import json
import os
from typing import TYPE_CHECKING, Dict, List, Sequence, Tuple

from crossinit_fairseq.cli.compare_recipes import Recipe
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.text_files import unreadable

if TYPE_CHECKING:  # --help need not wait for numpy
    from crossinit_fairseq.analysis.comparison import Scored

ABOUT_POINTS = (
    "Percent. Sentences and words: those whose nearest one is their translation, by the layer of the run, or its "
    "token table, that is best over all of them; XNLI: right labels; QA: F1 of the answers by SQuAD's rules."
)


def read_scores(recipe: Recipe, folder: str, out: str, name: str) -> Dict[str, "Scored"]:
    """{direction, or another name of a test: Scored} of one run.

    folder: of the run; out: of all runs; name: of the run, for messages. Raises InputError where there is no score.
    """
    return _translations(recipe, folder, out, name) if recipe.reference else _signals(folder, out, name)


def _translations(recipe: Recipe, folder: str, out: str, name: str) -> Dict[str, "Scored"]:
    from sacrebleu.metrics import BLEU

    from crossinit_fairseq.analysis.comparison import count_matches
    from crossinit_fairseq.languages import language_pair
    from crossinit_fairseq.scoring.outputs import read_output
    from crossinit_fairseq.text_files import read_lines

    paths = recipe.translations(folder) if os.path.isdir(os.path.join(folder, "score")) else {}
    if not paths:
        raise InputError(f"{folder} has no translations of a test: give the recipe aligned text to score (--test)")
    scored = {}
    for direction, path in paths.items():
        reference = read_lines(recipe.reference_of(direction, folder, out))
        hypotheses = read_output(path, len(reference), language_pair(direction)).hypotheses
        scored[direction] = count_matches(hypotheses, reference, BLEU(**recipe.bleu), f"{name}, {direction},")
    return scored


def _signals(folder: str, out: str, name: str) -> Dict[str, "Scored"]:
    """What a run of the recipe xlm retrieves and predicts, of the tasks that it was asked for."""
    scored: Dict[str, "Scored"] = {}
    for read in (_retrieved, _labels, _answers):
        scored.update(read(folder, out, name))
    if not scored:
        raise InputError(f"{folder} holds nothing that is scored: give the recipe aligned text, or --tasks xnli,qa")
    return scored


def _retrieved(folder: str, out: str, name: str) -> Dict[str, "Scored"]:
    path = os.path.join(folder, "retrieval", "scores.json")
    if not os.path.isfile(path):
        return {}
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
        layers = [layers for group in ("sentences", "words") for layers in found[group].values()]
        best = max(range(len(layers[0])), key=lambda layer: sum(values[layer] for values in layers))
        hits = [
            (group, pair, [float(digit) for digit in digits[best]])
            for group in ("sentences", "words")
            for pair, digits in found["hits"][group].items()
        ]
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{path} is damaged: remove it, and run the recipe again") from None
    return _points(hits, name)


def _points(hits: Sequence[Tuple[str, str, List[float]]], name: str) -> Dict[str, "Scored"]:
    """hits: what is retrieved, the pair of languages, and 1 or 0 for each item."""
    from crossinit_fairseq.analysis.comparison import count_points

    scored = {}
    for group, pair, points in hits:
        if group == "sentences":  # an item is an aligned pair, found from either side
            half = len(points) // 2
            points = [(forth + back) / 2 for forth, back in zip(points[:half], points[half:])]
        items = [f"{group} {pair} {number}" for number in range(len(points))]
        scored[f"{group} {pair}"] = count_points(points, "P@1", items, name)
    return scored


def _labels(folder: str, out: str, name: str) -> Dict[str, "Scored"]:
    from crossinit_fairseq.analysis.comparison import count_points
    from crossinit_fairseq.finetuning.nli_files import read_pairs
    from crossinit_fairseq.finetuning.predictions import read_labels

    scored = {}
    for language, path in _predictions(folder, "xnli", ".txt").items():
        pairs = read_pairs(os.path.join(out, "text", f"nli.test.{language}.tsv"), language)
        points = [float(label == pair.label) for label, pair in zip(read_labels(path, len(pairs)), pairs)]
        items = [f"{pair.premise}\t{pair.hypothesis}" for pair in pairs]
        scored[f"XNLI {language}"] = count_points(points, "accuracy", items, name)
    return scored


def _answers(folder: str, out: str, name: str) -> Dict[str, "Scored"]:
    from crossinit_fairseq.analysis.comparison import count_points
    from crossinit_fairseq.finetuning.answer_scores import score_answers
    from crossinit_fairseq.finetuning.predictions import read_answers
    from crossinit_fairseq.finetuning.qa_files import read_questions

    scored = {}
    for language, path in _predictions(folder, "qa", ".json").items():
        answers, questions = read_answers(path), read_questions(os.path.join(out, "text", f"qa.test.{language}.json"))
        points = []
        for question in questions:
            right = {question.id: [answer.text for answer in question.answers]}
            points.append(score_answers(answers, right, language, "squad")["f1"] / 100)
        scored[f"QA {language}"] = count_points(points, "F1", [question.id for question in questions], name)
    return scored


def _predictions(folder: str, task: str, suffix: str) -> Dict[str, str]:
    """{language: path} of what crossinit-predict wrote in a run."""
    test = os.path.join(folder, task, "test")
    names = sorted(os.listdir(test)) if os.path.isdir(test) else []
    return {name[: -len(suffix)]: os.path.join(test, name) for name in names if name.endswith(suffix)}
