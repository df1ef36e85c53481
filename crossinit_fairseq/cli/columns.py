"""Columns of text that stay aligned on a terminal in any script."""

import unicodedata


def format_columns(rows):
    """rows: lists of str, all of one length. Returns the rows as lines, the columns aligned to the left."""
    widths = [max(display_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell + " " * (width - display_width(cell)) for cell, width in zip(row, widths)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def display_width(text):
    """How many terminal cells a text takes: none for combining marks and joiners, two for East Asian wide letters."""
    width = 0
    for character in text:
        if unicodedata.category(character) not in ("Mn", "Me", "Cf"):
            width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return width
