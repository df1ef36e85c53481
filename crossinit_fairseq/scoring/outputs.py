"""The translations of a system: what fairseq-generate prints, or plain text."""

import re
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Match, Optional, Sequence, Set

from crossinit_fairseq.data.dictionary import WORD_START
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language
from crossinit_fairseq.markup import unescape
from crossinit_fairseq.ranks.sentencepiece_model import decode_bytes, join_pieces
from crossinit_fairseq.text_files import read_lines

GENERATE, TEXT = "fairseq-generate", "text"
# S and T: number, tab, sentence; H and D: number, tab, score, tab, sentence
# (an empty sentence has lost its tab with the white space around the line)
_LINE = re.compile(r"([STHD])-([0-9]{1,9})(?:\t(.*))?$", re.DOTALL)
_SCORED = re.compile(r"[HD]-[0-9]{1,9}\t-?([0-9]|inf|nan)")
_BPE_END = re.compile(r"(?<=[^\s@])@@( |$)")  # of a sub-word of subword-nmt that the next one goes on from
# fairseq's own mBART task leaves the language's token at an end of the sentence
_LANGUAGE_TOKEN = re.compile(r"^\[([^\s\[\]]+)\] ?| ?\[([^\s\[\]]+)\]$")


@dataclass
class Output:
    """The translations in one file.

    hypotheses: in the order of the text; kind: GENERATE or TEXT; sources and targets: {number: sentence} of the S- and
    T- lines, which went through the dictionary (`<unk>`); notes: what a reader of the scores should know, as sentences.
    """

    path: str
    hypotheses: List[str]
    kind: str = TEXT
    sources: Dict[int, str] = field(default_factory=dict)
    targets: Dict[int, str] = field(default_factory=dict)
    notes: List[str] = field(default_factory=list)


def read_output(path: str, count: Optional[int] = None, languages: Sequence[str] = ()) -> Output:
    """Read the output of fairseq-generate or plain text, one sentence a line; which of them is seen from the text.

    count: how many sentences there should be (default: as many as there are). Of fairseq-generate's lines, the D- lines
    are taken, in the order of their numbers, or the H- lines where there are none, and the first of an n-best list.
    languages: whose tokens are removed at the ends of sentences, [ro] or [ro_RO] of Romanian; no others, since editors
    put their marks ([sic]) into brackets too.
    Raises InputError, also when a sentence is missing or is there twice.
    """
    lines = read_lines(path)
    output = _read_generate(path, lines, count, languages) if any(map(_SCORED.match, lines)) else Output(path, lines)
    if count is not None and len(output.hypotheses) != count:
        raise InputError(
            f"{path} has {len(output.hypotheses):,} lines, the reference has {count:,}: they must be translations of "
            "the same sentences"
        )
    if in_pieces(output.hypotheses):
        output.hypotheses = [join_pieces(line) for line in output.hypotheses]
        output.notes.append("was in SentencePiece pieces, which were joined (--remove-bpe sentencepiece does it)")
    joined = [_BPE_END.sub("", line) for line in output.hypotheses]
    changed = sum(one != other for one, other in zip(joined, output.hypotheses))
    if changed:
        output.hypotheses = joined
        output.notes.append(f"has sub-words (@@) in {changed:,} sentences, which were joined (--remove-bpe does it)")
    decoded = [decode_bytes(line) for line in output.hypotheses]
    changed = sum(one != other for one, other in zip(decoded, output.hypotheses))
    if changed:
        output.hypotheses = decoded
        output.notes.append(f"has pieces of bytes (<0xE2>) in {changed:,} sentences, which were decoded")
    return output


def _read_generate(path: str, lines: List[str], count: Optional[int], languages: Sequence[str]) -> Output:
    found: Dict[str, Dict[int, str]] = {kind: {} for kind in "STHD"}
    again: Dict[str, Set[int]] = {kind: set() for kind in "STHD"}
    for match in filter(None, map(_LINE.match, lines)):
        kind, number, sentence = match.group(1), int(match.group(2)), match.group(3) or ""
        if kind in "HD":
            sentence = sentence.partition("\t")[2]
        if number in found[kind]:
            again[kind].add(number)
        else:
            found[kind][number] = sentence
    kind = "D" if found["D"] else "H"
    hypotheses = found[kind]
    if again["S"] or (again[kind] and not found["S"]):
        raise InputError(
            f"{path} holds sentence {min(again['S'] or again[kind])} twice: give the output of one run of "
            "fairseq-generate, with its S- lines"
        )
    _check_numbers(path, hypotheses, 1 + max(list(hypotheses) + list(found["S"])) if count is None else count)
    output = Output(path, [hypotheses[number] for number in sorted(hypotheses)], GENERATE)
    if again[kind]:
        output.notes.append("holds n-best lists, of which the first of each was taken")
    plain = [_without_tokens(line, languages) for line in output.hypotheses]
    changed = sum(one != other for one, other in zip(plain, output.hypotheses))
    if changed:
        output.notes.append(f"has a language token at an end of {changed:,} sentences, which was removed")
        output.hypotheses = plain
    for name, letter in (("sources", "S"), ("targets", "T")):
        join = join_pieces if in_pieces(found[letter].values()) else str
        # crossinit_unmt's sources end in their language's token
        text = {number: decode_bytes(_without_tokens(join(line), languages)) for number, line in found[letter].items()}
        setattr(output, name, text)
    return output


def _without_tokens(line: str, languages: Sequence[str]) -> str:
    """The line without a token of one of the languages at either end."""

    def replace(found: Match[str]) -> str:
        try:
            named = base_language(found.group(1) or found.group(2))
        except InputError:  # no code of a language
            return found.group()
        return "" if named in map(base_language, languages) else found.group()

    return _LANGUAGE_TOKEN.sub(replace, line) if line[:1] == "[" or line[-1:] == "]" else line


def undo_escapes(output: Output, reference: Sequence[str]) -> None:
    """Write character entities (&quot;) as what they stand for in the hypotheses, where the reference has none.

    What was done, or what is wrong with the reference, is said in the output's notes.
    """
    plain = [unescape(line) for line in output.hypotheses]
    escaped = sum(one != other for one, other in zip(plain, output.hypotheses))
    kept = sum(unescape(line) != line for line in reference)
    if kept:
        output.notes.append(
            f"was scored with entities such as &quot; as they are, since the reference has them in {kept:,} sentences: "
            "give the original text"
        )
    elif escaped:
        output.notes.append(f"has entities such as &quot; in {escaped:,} sentences, which were unescaped")
        output.hypotheses = plain


def _check_numbers(path: str, numbers: Iterable[int], count: int) -> None:
    beyond = max(numbers)
    if beyond >= count:
        raise InputError(
            f"{path} holds sentence {beyond:,} (from 0), but the reference has {count:,} lines: is it of another test "
            "set?"
        )
    missing = [number for number in range(count) if number not in numbers]
    if missing:
        shown = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
        raise InputError(
            f"{path} lacks {len(missing):,} of {count:,} sentences (numbers {shown}): run fairseq-generate to its end, "
            "on the whole test set, with --required-batch-size-multiple 1 and without "
            "--skip-invalid-size-inputs-valid-test"
        )


def in_pieces(lines: Iterable[str]) -> bool:
    """Whether a text is in SentencePiece pieces: more than half of its lines hold the sign that begins a word."""
    written = [line for line in lines if line]
    return 2 * sum(WORD_START in line for line in written) > len(written)
