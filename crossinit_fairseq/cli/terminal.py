"""A terminal as standard output: words and names of files are shown, and never steer it.

To a file or a pipe everything goes as it is.
"""

import re
from typing import Any, Iterable, TextIO

from crossinit_fairseq.errors import printable

# what lays text out: tabs, ends of lines, and the return to the beginning of a line, by which progress is shown
_LAYOUT = re.compile(r"(\A\r|\t|\r?\n)")


class Terminal:
    """Stands for a text stream that is a terminal: what is written to it is `printable`, whoever writes."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text with the codes of control characters in their place; returns its length."""
        parts = _LAYOUT.split(text)  # layout stands at the odd places
        self._stream.write("".join(part if place % 2 else printable(part) for place, part in enumerate(parts)))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the stream's."""
        return getattr(self._stream, name)


def shown(stream: TextIO) -> Any:
    """The stream, as a Terminal where it is one."""
    return Terminal(stream) if stream.isatty() else stream
