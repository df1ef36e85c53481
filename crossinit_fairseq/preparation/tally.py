"""What became of the lines of a file, and whether the file can be what it is said to be."""

from collections import Counter

from characters import base_language
from programs import InputError
from reasons import REASONS

EXAMPLES = 3  # of each reason and file
_SHOWN = 200  # characters of an example
_LEAST = 20  # lines, before a file is said to be in another language
_EARLY, _SURE = 10000, 0.9  # that many lines of a long file are enough if as large a share of them is
_DAMAGED = 0.1  # of the lines of a file


def example(line, number=None):
    """A dropped line for the report, with its number in its file, from 1, if that is known."""
    return dict({} if number is None else {"line": number}, text=line[:_SHOWN])


class Tally:
    """Counts of one file. name: how messages call it; language: what it should be in."""

    def __init__(self, name, language):
        self.name, self.language = name, base_language(language)
        self.lines_read = self.words_read = self.lines = self.words = 0
        self.dropped, self.examples, self.guesses = Counter(), {}, Counter()

    def add(self, lines, words, dropped, examples, guesses):
        """Count in a part: its lines and words, {reason: lines}, {reason: list of `example`}, {language: lines}.

        Raises InputError as soon as the file is surely in another language.
        """
        self.lines_read += lines
        self.words_read += words
        self.dropped.update(dropped)
        self.guesses.update(guesses)
        for reason, some in examples.items():
            self.examples[reason] = (self.examples.get(reason, []) + some)[:EXAMPLES]
        self._check_language(_EARLY, _SURE)

    def keep(self, line):
        """Count a line of those read as kept."""
        self.lines += 1
        self.words += len(line.split())

    def drop(self, reason, line):
        """Count a line of those read as dropped."""
        self.dropped[reason] += 1
        if self.dropped[reason] <= EXAMPLES:
            self.examples.setdefault(reason, []).append(example(line))

    def check(self):
        """Raises InputError for a file that is read and cannot be meant: in another language, or not UTF-8."""
        self._check_language(_LEAST, 0.5)
        damaged = self.dropped["damaged characters"]
        if damaged > _DAMAGED * self.lines_read:
            raise InputError(
                "{} is not UTF-8 in {:,} of {:,} lines: convert it, for example with `iconv -f latin2 -t utf-8`".format(
                    self.name, damaged, self.lines_read
                )
            )

    def _check_language(self, least, share):
        judged = sum(self.guesses.values())
        others = Counter({guess: n for guess, n in self.guesses.items() if guess != self.language})
        # lines too short to be judged are in the wrong script all the same
        another_script = self.lines_read >= least and self.dropped["another script"] > share * self.lines_read
        if another_script or (judged >= least and sum(others.values()) > share * judged):
            looks_like = others.most_common(1)[0][0] if others else "another script"
            raise InputError(
                "{} looks like {}, not {}: are the sides swapped? (--no-language-filter takes it as it is)".format(
                    self.name, looks_like, self.language
                )
            )

    def as_dict(self):
        """For JSON; the reasons in the order in which they were tried."""
        order = [reason for reason in REASONS if self.dropped[reason]]
        return {
            "file": self.name,
            "lines_read": self.lines_read,
            "words_read": self.words_read,
            "lines": self.lines,
            "words": self.words,
            "dropped": {reason: self.dropped[reason] for reason in order},
            "languages": dict(self.guesses.most_common()),
            "examples": {reason: self.examples[reason] for reason in order},
        }


def add_up(tallies):
    """The counts of all files together, for JSON."""
    files = [tally.as_dict() for tally in tallies]
    total = {key: sum(file[key] for file in files) for key in ("lines_read", "words_read", "lines", "words")}
    dropped = sum((tally.dropped for tally in tallies), Counter())
    total["dropped"] = {reason: dropped[reason] for reason in REASONS if dropped[reason]}
    total["files"] = files
    return total
