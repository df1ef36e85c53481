"""Files of natural language inference: premises, hypotheses, labels. XNLI, MultiNLI, SICK and Hugging Face's layout."""

import logging
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set, Tuple

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.language_files import (
    check_characters,
    json_lines,
    json_rows,
    parquet_rows,
    warn_of_another_script,
)
from crossinit_fairseq.languages import same_language
from crossinit_fairseq.text_files import numbered_lines

logger = logging.getLogger(__name__)

LABELS = ("entailment", "neutral", "contradiction")  # in the order of Hugging Face's numbers
NO_GOLD_LABEL = "-"  # MultiNLI's mark where its annotators did not agree

_SPELLINGS = dict({label: number for number, label in enumerate(LABELS)}, contradictory=2)
# the names of one column in the layouts that are read
_PREMISE = ("premise", "sentence1", "sentence_A")
_HYPOTHESIS = ("hypothesis", "hypo", "sentence2", "sentence_B")
_LABEL = ("gold_label", "label", "entailment_label")
_ID = ("pairID", "pair_ID", "id", "idx")
_LANGUAGE = ("language", "lang")
# each annotator's, at the end of a row; most pairs of MultiNLI have one annotator
_ANNOTATORS = frozenset(f"label{number}" for number in range(1, 6))


@dataclass(frozen=True)
class Pair:
    """A premise and a hypothesis of one language. label: a number of LABELS, None if the file tells none."""

    id: str
    premise: str
    hypothesis: str
    label: Optional[int]


def read_pairs(path: str, language: str, by_id: bool = True) -> List[Pair]:
    """Read the pairs of a language from a file, in their order.

    The format is known by the end of the name and by the header: `.parquet`; `.jsonl` and `.json`, one object a line or
    a list of them; else columns between tabs, with the header of XNLI, MultiNLI or SICK, or premise, hypothesis and,
    where known, label without a header. Of a file of several languages only the rows of `language` are read. A pair
    whose gold label is "-" is left out and counted in the log, which also says when most letters are of another script
    than the language's. Quotation marks are text.

    by_id: whether each pair has an id of its own, as in what is scored; of pairs that are only trained on two may
    share one.
    Raises InputError for a file that cannot be read, a malformed row, a label outside LABELS, an id that stands there
    twice (file and line), and for a file that has no pair of that language.
    """
    pairs: List[Pair] = []
    seen: Set[str] = set()
    others: Set[str] = set()
    without_gold = 0
    for place, row in _rows(path):
        row = _of_language(row, language)
        its_language = _first(row, _LANGUAGE)
        if its_language and not _same(str(its_language), language, place):
            others.add(str(its_language))
            continue
        texts = [_first(row, names) for names in (_PREMISE, _HYPOTHESIS)]
        if not all(isinstance(text, str) for text in texts):
            raise InputError(f"{place}: no premise and hypothesis: the row has {', '.join(map(str, row)) or 'nothing'}")
        check_characters(texts, place)
        label = _first(row, _LABEL)
        if label == NO_GOLD_LABEL:
            without_gold += 1
            continue
        identity = str(_first(row, _ID) or place.rsplit(" ", 1)[1])
        if by_id and identity in seen:
            raise InputError(f"{place}: the id {identity} stands there a second time: take one of them out")
        seen.add(identity)
        pairs.append(Pair(identity, texts[0].strip(), texts[1].strip(), _label(label, place)))
    if without_gold:
        logger.warning(f"{path}: left out {without_gold:,} pairs without a gold label")
    if not pairs:
        instead = f": it has {', '.join(sorted(others))}" if others else ""
        raise InputError(f"{path} has no pair of language {language}{instead}")
    warn_of_another_script(language, [text for pair in pairs for text in (pair.premise, pair.hypothesis)], path)
    return pairs


def _rows(path: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    if path.endswith(".parquet"):
        return parquet_rows(path)
    if path.endswith(".jsonl"):
        return json_lines(path)
    if path.endswith(".json"):
        return json_rows(path)
    return _columns(path)


def _columns(path: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    header: Optional[List[str]] = None
    for number, line in numbered_lines(path):
        place, cells = f"{path}, line {number}", line.split("\t")
        if header is None:
            if set(cells) & set(_PREMISE) and set(cells) & set(_HYPOTHESIS):
                header = cells
                continue
            header = ["premise", "hypothesis", "label"][: max(len(cells), 2)]
        if _ANNOTATORS.issuperset(header[len(cells) :]):
            cells += [""] * (len(header) - len(cells))
        if len(cells) != len(header):
            raise InputError(f"{place}: {len(cells)} columns between tabs, and {len(header)} were expected")
        yield place, dict(zip(header, cells))


def _of_language(row: Dict[str, Any], language: str) -> Dict[str, Any]:
    """The row with the text of one language, where it holds all of them (Hugging Face's `all_languages`)."""
    premise, hypothesis = row.get("premise"), row.get("hypothesis")
    if not isinstance(premise, dict) or not isinstance(hypothesis, dict):
        return row
    if "translation" in hypothesis and "language" in hypothesis:
        hypothesis = dict(zip(hypothesis["language"] or [], hypothesis["translation"] or []))
    # under one name in both, by any code of the language
    name = next((name for name in premise if name == language or _is(name, language)), language)
    return dict(row, premise=premise.get(name), hypothesis=hypothesis.get(name))


def _first(row: Dict[str, Any], names: Iterable[str]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _same(first: str, second: str, place: str) -> bool:
    try:
        return same_language(first, second)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def _is(name: str, language: str) -> bool:
    """Whether a name is one of the language's; what is no language's is not."""
    try:
        return same_language(name, language)
    except InputError:
        return False


def _label(label: Any, place: str) -> Optional[int]:
    if label is None or label == "" or label == -1:
        return None
    if isinstance(label, int) and not isinstance(label, bool) and 0 <= label < len(LABELS):
        return label
    text = str(label).strip().lower()
    if text in _SPELLINGS:
        return _SPELLINGS[text]
    if text in ("0", "1", "2"):
        return int(text)
    raise InputError(f"{place}: the label is {str(label)[:40]!r}, and there are {', '.join(LABELS)}")
