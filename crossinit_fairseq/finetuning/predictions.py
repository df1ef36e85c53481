"""Files of predictions as the official evaluators take them: a label a line (XNLI), {id: answer} in JSON (MLQA)."""

from typing import Dict, List, Sequence

from crossinit_fairseq.complete_files import complete_file, write_json
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.language_files import read_json
from crossinit_fairseq.finetuning.nli_files import LABELS
from crossinit_fairseq.text_files import read_lines


def write_labels(path: str, labels: Sequence[int]) -> None:
    """Write the name of a label a line, in the order of the pairs. labels: numbers of LABELS."""
    with complete_file(path) as part, open(part, "w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(f"{LABELS[label]}\n" for label in labels)


def read_labels(path: str, count: int) -> List[int]:
    """The numbers of LABELS that a file of one name a line holds.

    count: of the pairs. Raises InputError for another number of lines, and for a line that is no label.
    """
    lines = read_lines(path)
    if len(lines) != count:
        raise InputError(f"{path} has {len(lines):,} lines and there are {count:,} pairs: one label a line is needed")
    numbers = {label: number for number, label in enumerate(LABELS)}
    for number, line in enumerate(lines, 1):
        if line not in numbers:
            raise InputError(f"{path}, line {number}: {line[:40]!r} is none of {', '.join(LABELS)}")
    return [numbers[line] for line in lines]


def write_answers(path: str, answers: Dict[str, str]) -> None:
    """Write {id of the question: text of the answer} as JSON."""
    write_json(path, answers)


def read_answers(path: str) -> Dict[str, str]:
    """{id of the question: text of the answer}. Raises InputError for anything else."""
    answers = read_json(path)
    if not isinstance(answers, dict) or not all(isinstance(text, str) for text in answers.values()):
        raise InputError(f"{path} does not hold one JSON object of ids and texts of answers")
    return answers
