"""How bad input is reported: one sentence that says what is wrong, where, and what to do."""

import unicodedata
from contextlib import contextmanager
from typing import Iterator, NamedTuple

_JOINERS = "\u200c\u200d"  # the spelling of Indic and Persian words needs them


def printable(text: str) -> str:
    """The text with every character that could steer a terminal, or turn its direction, written as its code."""
    return "".join(
        (
            character
            if unicodedata.category(character)[0] != "C" or character in _JOINERS
            else character.encode("unicode_escape").decode("ascii")
        )
        for character in text
    )


def first_line(error: BaseException) -> str:
    """What another library says of an error, in one line: the first of its message, else the name of its kind."""
    return (str(error).strip() or type(error).__name__).split("\n")[0][:200]


class Refusal(NamedTuple):
    """Why something would fail or go wrong, and what to do: the two halves of a sentence."""

    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.why}: {self.remedy}"


class InputError(ValueError):
    """The user's data or options cannot be used; the message is meant to be read by the user."""


@contextmanager
def one_sentence() -> Iterator[None]:
    """At fairseq's door, turn an `InputError` into a message on stderr and exit status 1.

    fairseq catches `Exception` in places and hides the cause behind a text of its own; `SystemExit` passes through.
    """
    try:
        yield
    except InputError as error:
        raise SystemExit(f"crossinit_fairseq: error: {printable(str(error))}") from None
