"""The data folder: one dictionary everywhere, the control symbols at its end, and what the text holds."""

import glob
import os
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

from crossinit_fairseq.data.dictionary import MASK, UNK, control_symbols, languages_in, read_symbols, special_rows
from crossinit_fairseq.data.folder import languages_of
from crossinit_fairseq.data.text_check import check_dictionaries, find_control_symbols
from crossinit_fairseq.doctor.command import Command
from crossinit_fairseq.doctor.findings import WRONG, Finding, fine, warning, wrong
from crossinit_fairseq.errors import InputError, printable
from crossinit_fairseq.ranks import BinarisedText, WordPieces, open_binarised, rank_words
from crossinit_fairseq.ranks.sentencepiece_model import check_dictionary, check_same_model, load_model

_LOOKED_AT = 200_000_000  # tokens that are looked through in seconds
_COUNTED = 2_000_000  # tokens whose words are counted


_NOT_READ = "training does not read it; translating will"
_OF_ONE_TEXT = ("language_modeling", "masked_lm", "denoising")
_FINE_TUNING = ("crossinit_xnli", "crossinit_qa")


def check_data_folder(
    folders: Sequence[str], longest: Optional[Tuple[int, str]] = None, command: Optional[Command] = None
) -> List[Finding]:
    """Findings on the shards of one data folder. longest: sub-tokens that a sentence may have, and the option that says
    so, if any does; command: what is to read it, where that is known."""
    for folder in folders:
        if not os.path.isdir(folder):
            return [wrong(f"the data folder {folder} does not exist")]
    path = os.path.join(folders[0], "dict.txt")
    if command is not None and _is_of_stock_task(folders[0], command["task"]):
        return [fine(f"{folders[0]}: text as --task {command['task']} has it; not looked at")]
    languages = languages_of(folders[0])
    try:
        symbols = read_symbols(path)
    except InputError as error:
        return [wrong(str(error), "give the dictionary that the text was binarised with")]
    findings = _check_printable(path, symbols) + _check_pieces(folders[0], symbols, command)
    if not languages:
        findings += _check_no_text(folders[0], symbols, command)
    if languages or not _is_for_text_files(folders[0], command):
        findings = _check_control_symbols(path, symbols, languages) + findings
    for folder in folders[1:]:
        if languages_of(folder) != languages:
            findings.append(wrong(f"{folder} has text of {languages_of(folder)}, {folders[0]} of {languages}"))
    try:
        check_dictionaries(folders, languages, symbols)
        findings.append(fine("the dictionaries that fairseq-preprocess left beside the text are this one"))
    except InputError as error:
        findings.append(wrong(str(error)))
    words: Dict[str, int] = {}
    for folder in folders:
        for prefix in _prefixes(folder, languages):
            of_text = _check_text(prefix, symbols, languages, longest)
            if _is_not_read(prefix, command):
                of_text = [warning(one.what, _NOT_READ) if one.level == WRONG else one for one in of_text]
            findings += of_text
    for language in languages:
        words[language] = _count_words(os.path.join(folders[0], language, "train"), symbols, languages)
    return findings + _check_partners(words)


def _is_of_stock_task(folder: str, task: str) -> bool:
    """Whether a folder has what a task of fairseq's own reads: a dictionary for each language, or the text of one
    language, or of many, beside its dictionary."""
    if not task or task.startswith("crossinit_"):
        return False
    if task in _OF_ONE_TEXT and not languages_of(folder):
        return os.path.exists(os.path.join(folder, "dict.txt"))
    of_languages = glob.glob(os.path.join(glob.escape(folder), "dict.*.txt"))
    return bool(of_languages) and not os.path.exists(os.path.join(folder, "dict.txt"))


def _is_not_read(prefix: str, command: Optional[Command]) -> bool:
    """Whether this is text to be translated, and the command trains."""
    trains = command is not None and command.program.endswith("train")
    return trains and os.path.basename(prefix).startswith("test.")


def _check_control_symbols(path: str, symbols: Sequence[str], languages: Sequence[str]) -> List[Finding]:
    """The control symbols: all there, at the end, in the order that stock tasks would add them in."""
    missing = [symbol for symbol in control_symbols(languages) if symbol not in symbols]
    if missing:
        return [
            wrong(
                f"{path} lacks {' '.join(missing)}: stock tasks would add them, each in an order of its own",
                "write the dictionary anew (crossinit-prepare vocabulary --model spm.model), and binarise again",
            )
        ]
    try:
        rows = languages_in(symbols)
    except InputError as error:
        return [wrong(f"{path}: {error}")]
    outside = [language for language in languages if language not in rows]
    if outside:
        return [wrong(f"{path}: the token of {outside[0]} does not stand at the end, among those of other languages")]
    last = " ".join(control_symbols(rows))
    findings = [fine(f"{path}: {len(symbols):,} symbols, ends with {last}")]
    if symbols.index(MASK) < max(rows.values()):
        findings = [
            warning(
                f"{path}: {MASK} stands before a language token; fairseq's own pre-training puts it behind them",
                "fine within this package; checkpoints from elsewhere number these rows otherwise",
            )
        ]
    return findings


def _check_pieces(folder: str, symbols: Sequence[str], command: Optional[Command]) -> List[Finding]:
    """The SentencePiece model that fine-tuning and retrieval look for there, against the dictionary."""
    given = command["pieces"] if command is not None else ""
    path = given or os.path.join(folder, "spm.model")
    if not os.path.isfile(path):
        if command is not None and command["task"] in _FINE_TUNING:
            return [wrong(f"{path} is missing", "give --pieces the SentencePiece model of pre-training")]
        return []
    try:
        check_same_model(path, folder)
        check_dictionary(load_model(path), path, symbols, os.path.join(folder, "dict.txt"))
    except InputError as error:
        return [wrong(str(error))]
    return [fine(f"{path}: its pieces are those of dict.txt")]


def _is_for_text_files(folder: str, command: Optional[Command]) -> bool:
    """Whether what reads a data folder reads plain text: fine-tuning, prediction, retrieval."""
    if command is not None and command["task"]:
        return command["task"] in _FINE_TUNING
    return os.path.isfile(os.path.join(folder, "spm.model")) and not glob.glob(
        os.path.join(glob.escape(folder), "*.idx")
    )


def _check_no_text(folder: str, symbols: Sequence[str], command: Optional[Command]) -> List[Finding]:
    """A folder without monolingual text: right for fine-tuning, and for translating aligned text."""
    if _is_for_text_files(folder, command):
        try:
            named = f"of the languages {', '.join(languages_in(symbols))}"
        except InputError:
            named = "without languages, as roberta's"
        return [fine(f"{folder}: a dictionary {named}, and no binarised text: enough for fine-tuning and what follows")]
    if command is not None and command["source-lang"] and command["target-lang"]:
        if command.program == "fairseq-interactive":
            return [fine(f"{folder}: a dictionary, enough to translate what is typed or read from a file")]
        source, target = command["source-lang"], command["target-lang"]
        split = command["gen-subset"] or "test"
        prefixes = [f"{split}.{pair}.{source}" for pair in (f"{source}-{target}", f"{target}-{source}")]
        if any(os.path.isfile(os.path.join(folder, prefix + ".idx")) for prefix in prefixes):
            return [fine(f"{folder}: aligned text alone ({split}), enough to translate it")]
    return [
        wrong(
            f"{folder} has no folder with text of a language (LANG/train.idx)",
            "fairseq-preprocess --only-source ...; for fine-tuning, copy spm.model there",
        )
    ]


def _check_printable(path: str, symbols: Sequence[str]) -> List[Finding]:
    """fairseq's own programs print words as they are, escape codes too."""
    found = [symbol for symbol in symbols if printable(symbol) != symbol]
    if not found:
        return []
    return [
        warning(
            f"{path}: {len(found):,} symbols hold characters that steer a terminal, such as {found[0]!r}",
            "clean the text (crossinit-prepare clean); send fairseq-generate's output to a file",
        )
    ]


def _prefixes(folder: str, languages: Sequence[str]) -> List[str]:
    """All binarised files: monolingual by language, and aligned."""
    found = glob.glob(os.path.join(glob.escape(folder), "*.idx"))
    for language in languages:
        found += glob.glob(os.path.join(glob.escape(folder), glob.escape(language), "*.idx"))
    return sorted(path[: -len(".idx")] for path in found)


def _check_text(
    prefix: str, symbols: Sequence[str], languages: Sequence[str], longest: Optional[Tuple[int, str]]
) -> List[Finding]:
    control = np.empty(0, dtype=np.int64)
    try:
        text = open_binarised(prefix)
        findings = []
        if len(text.tokens) <= _LOOKED_AT:
            found = find_control_symbols(prefix, symbols, languages)
            control = found.sentences
            if len(control):
                remedy = "take them out of the text; the tasks leave these sentences out"
                findings.append(warning(f"{prefix}: {found.in_words()}", remedy))
    except InputError as error:
        return [wrong(str(error))]
    lengths = text.lengths
    sample = np.asarray(text.tokens[:_LOOKED_AT])
    unknown = float((sample == UNK).mean())
    middle, most = int(np.median(lengths)), int(lengths.max())
    said = (
        f"{prefix}: {len(lengths):,} sentences of {middle} sub-tokens in the middle, {most:,} at most; "
        f"{unknown:.2%} unknown"
    )
    empty = int((lengths <= 1).sum())
    if unknown > 0.01:
        findings.append(warning(said, "more than 1 % unknown: the sub-word model was trained on other text or letters"))
    else:
        findings.append(fine(said))
    if empty:
        findings.append(warning(f"{prefix}: {empty:,} sentences are empty", "leave them out before binarising"))
    usable = lengths > 1
    usable[control] = False
    if not usable.any():
        findings.append(wrong(f"{prefix}: no sentence is left that can be used", "binarise other text"))
    too_long = int((lengths > longest[0] - 2).sum()) if longest else 0
    if longest and too_long:
        findings.append(
            warning(
                f"{prefix}: {too_long:,} sentences are longer than {longest[1]} {longest[0]} leaves room for",
                "they are cut or left out; stock tasks end at them in validation",
            )
        )
    return findings


def _count_words(prefix: str, symbols: Sequence[str], languages: Sequence[str]) -> int:
    """How many different words begin the text: in its first two million tokens; 0 if it cannot be read."""
    try:
        text = open_binarised(prefix)
        sentences = int(np.searchsorted(np.cumsum(text.lengths, dtype=np.int64), _COUNTED)) + 1
        lengths = text.lengths[:sentences]
        part = BinarisedText(text.tokens[: int(lengths.sum(dtype=np.int64))], lengths)
        pieces = WordPieces(list(symbols), special=special_rows(symbols, languages), unk=UNK)
        return len(rank_words([part], pieces))
    except InputError:
        return 0


def _check_partners(words: Dict[str, int]) -> List[Finding]:
    """Words whose rank is beyond the last one of the other language have no partner in a span."""
    known = {language: count for language, count in words.items() if count}
    if len(known) < 2:
        return []
    fewest, most = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    listed = ", ".join(f"{language} {count:,}" for language, count in sorted(known.items()))
    said = f"different words in the first {_COUNTED:,} sub-tokens of each language: {listed}"
    without = known[most] - known[fewest]
    if without > known[most] // 2:
        return [
            warning(
                f"{said}; {without:,} words of {most} have no partner of the same rank in {fewest}",
                f"give {fewest} more text, or `--max-rank {known[fewest]}`",
            )
        ]
    return [fine(said)]
