"""Shims of text that users give or type: fairseq-interactive, the hub, a dictionary of words.

Each names the versions it is for, of one kind with those of compat.py; tests/test_compat.py fails when one is idle.
"""

import contextlib
import logging
import re
import sys
from typing import Any, Callable, Iterator, List

from crossinit_fairseq.errors import InputError, first_line, one_sentence, printable
from crossinit_fairseq.text_files import decode, numbered_lines, unreadable

_HALVES = re.compile("[\ud800-\udfff]")  # of surrogate pairs: no characters

logger = logging.getLogger(__name__)


def let_interactive_say_what_is_no_text() -> None:
    """For all versions: fairseq-interactive ends in a UnicodeDecodeError, which names neither file nor line, where
    `--input` or standard input is not UTF-8, and in a traceback where there is no such file; a lone carriage return
    ends a line. What stands before is translated.
    """
    for name in ("fairseq_cli.interactive", "__main__"):
        module = sys.modules.get(name)
        name = getattr(getattr(module, "__spec__", None), "name", None)
        if hasattr(module, "buffered_read") and name == "fairseq_cli.interactive":
            if module.buffered_read is not _buffered_read:
                _buffered_read.stock = module.buffered_read
                module.buffered_read = _buffered_read


def _buffered_read(input: str, buffer_size: int) -> Iterator[List[str]]:
    """fairseq's own: the lines of a file, or of standard input (`-`), without the white space around them."""
    buffer: List[str] = []
    name = "standard input" if input == "-" else input
    with contextlib.ExitStack() as files, one_sentence():
        try:
            lines = sys.stdin.buffer if input == "-" else files.enter_context(open(input, "rb"))
        except OSError as error:
            raise unreadable(input, error) from None
        for number, data in enumerate(lines, 1):
            try:
                buffer.append(decode(data, name, number).strip())
            except InputError:
                if buffer:
                    yield buffer
                raise
            if len(buffer) >= buffer_size:
                yield buffer
                buffer = []
    if buffer:
        yield buffer


def let_sentencepiece_read_any_text() -> None:
    """For all versions: SentencePiece ends in a RuntimeError at half of a surrogate pair, which is what Python makes of
    arguments and standard input that are not UTF-8, in the C locales; the hub is given such text. It is read as a
    damaged character, which is unknown to every dictionary.
    """
    from fairseq.data.encoders.sentencepiece_bpe import SentencepieceBPE

    stock = SentencepieceBPE.encode
    if hasattr(stock, "stock"):
        return

    def encode(self: Any, x: str) -> str:
        whole = _HALVES.sub("\ufffd", x)
        if whole != x:
            logger.warning(f"a sentence is not UTF-8: {first_line(ValueError(printable(x)))}; what is not is unknown")
        return stock(self, whole)

    encode.stock = stock
    SentencepieceBPE.encode = encode


def let_the_hub_ask_the_task() -> None:
    """For all versions: the hub (`from_pretrained`) makes its sub-word model beside the task, so that nobody compares a
    SentencePiece model with the dictionary. It is shown to a task that has `check_bpe`.
    """
    from fairseq.hub_utils import GeneratorHubInterface
    from fairseq.models.roberta.hub_interface import RobertaHubInterface

    for kind in (GeneratorHubInterface, RobertaHubInterface):
        if not hasattr(kind.__init__, "stock"):
            kind.__init__ = _asking_the_task(kind.__init__)


def _asking_the_task(stock: Callable[..., None]) -> Callable[..., None]:
    def __init__(self: Any, cfg: Any, task: Any, *args: Any, **kwargs: Any) -> None:
        if hasattr(task, "check_bpe"):
            task.check_bpe(cfg.bpe)
        stock(self, cfg, task, *args, **kwargs)

    __init__.stock = stock
    return __init__


def let_a_dictionary_of_words_say_what_it_is_not() -> None:
    """For all versions: `--replace-unk FILE` of fairseq-generate and -interactive, and of the hub, ends in a traceback
    where the file is not there, not UTF-8, or has a line of one word; alone, the option has `@@ ` for a file's name.
    """
    import fairseq.utils

    stock = fairseq.utils.load_align_dict
    if hasattr(stock, "stock"):
        return

    def load_align_dict(replace_unk: Any) -> Any:
        if replace_unk == "@@ " or not (isinstance(replace_unk, str) and replace_unk):
            return stock("" if replace_unk == "@@ " else replace_unk)
        words = {}
        with one_sentence():
            for number, line in numbered_lines(replace_unk):
                cells = line.split()
                if len(cells) < 2:
                    raise InputError(f"{replace_unk}, line {number}: not `word translation`: {line.strip()[:60]!r}")
                words[cells[0]] = cells[1]
        return words

    load_align_dict.stock = stock
    fairseq.utils.load_align_dict = load_align_dict


def apply() -> None:
    """Apply every shim here. Safe to call twice."""
    let_interactive_say_what_is_no_text()
    let_sentencepiece_read_any_text()
    let_the_hub_ask_the_task()
    let_a_dictionary_of_words_say_what_it_is_not()
