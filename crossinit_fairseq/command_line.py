"""Options of a command line: one that is given twice, with two values, is refused.

argparse takes the last value and says nothing, so that a file, a language or a test set that was named before is lost.
"""

import argparse
import itertools
import os
import re
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple, Union

from crossinit_fairseq.errors import InputError


def without_variables(words: Sequence[str]) -> Tuple[Dict[str, str], List[str]]:
    """The variables of the environment that stand before the program of a command line, and the words from it on."""
    given = list(itertools.takewhile(re.compile(r"[A-Za-z_]\w*=").match, words))
    return dict(word.split("=", 1) for word in given), list(words[len(given) :])


def between_commas(text: str, option: str) -> List[str]:
    """The entries of a list, FILE or NAME=FILE, without blanks around them and without empty ones.

    option: its name, for messages. Raises InputError where several are together the name of a file or a folder.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    for begin, end in itertools.combinations(range(len(entries)), 2):
        together = ",".join(entries[begin : end + 1])
        for path in (together, together.partition("=")[2]):
            if os.path.exists(path):
                raise InputError(
                    f"{option}: there is a file {path}, and commas part the entries of this list: give it a name "
                    "without them"
                )
    return entries


class GivenOnce(argparse.Action):
    """argparse's action `store`, but a second, other value of an option is an error; the same one again is not."""

    _filled: Optional[argparse.Namespace] = None  # that of the parsing that has seen this option

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Union[str, Sequence[Any], None],
        option_string: Optional[str] = None,
    ) -> None:
        """Store the value. Raises argparse.ArgumentError, which ends a command with exit status 2, also for an empty
        value: that of a variable which is not set."""
        if option_string is not None:
            if values == "":
                raise argparse.ArgumentError(self, "its value is empty: leave it out, or give one")
            before = getattr(namespace, self.dest, None)
            if self._filled is namespace and before != values:
                raise argparse.ArgumentError(self, f"given twice, {before!r} and {values!r}: give it once")
            self._filled = namespace
            if isinstance(parser, CommandParser):
                parser.given.add(self.option_strings[-1])
        setattr(namespace, self.dest, values)


class _Flag(argparse._StoreTrueAction):
    """argparse's action `store_true`; the parser knows that it was given."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *arguments: Any, **more: Any
    ) -> None:
        """Set it."""
        super().__call__(parser, namespace, *arguments, **more)
        if isinstance(parser, CommandParser):
            parser.given.add(self.option_strings[-1])


class CommandParser(argparse.ArgumentParser):
    """Reads the options of a console command, and of its sub-commands: each once, by their whole names.

    Options that may be given several times have the action `append` or `extend`.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"formatter_class": argparse.RawDescriptionHelpFormatter, "allow_abbrev": False, **settings})
        for name in (None, "store"):
            self.register("action", name, GivenOnce)
        self.register("action", "store_true", _Flag)
        self.given: Set[str] = set()

    def parse_known_args(  # type: ignore[override]
        self, args: Optional[Sequence[str]] = None, namespace: Optional[argparse.Namespace] = None
    ) -> Tuple[argparse.Namespace, Sequence[str]]:
        """argparse's own; `given` holds, by their last names, the options on this line, but for those that add up."""
        self.given = set()
        return super().parse_known_args(args, namespace)

    def refuse(self, names: Sequence[str], why: str) -> None:
        """Exit with 2 when one of these options was given: it would have no effect, and its user thinks that it has.

        why: what makes it so, such as "without --sentences"."""
        for name in names:
            if name in self.given:
                self.error(f"{name} has no effect {why}: leave it out")
