"""Tables of text that stay aligned on a terminal in any script, and that cannot steer it."""

import unicodedata
from typing import List, Sequence

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


def format_columns(rows: Sequence[List[str]]) -> str:
    """rows: lists of str, all of one length. Returns the rows as lines, the columns aligned to the left."""
    widths = [max(display_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell + " " * (width - display_width(cell)) for cell, width in zip(row, widths)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def display_width(text: str) -> int:
    """How many terminal cells a text takes: none for combining marks and joiners, two for East Asian wide letters."""
    width = 0
    for character in text:
        if unicodedata.category(character) not in ("Mn", "Me", "Cf"):
            width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return width
