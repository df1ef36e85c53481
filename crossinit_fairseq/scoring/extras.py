"""Libraries that only some of the scores need."""

from crossinit_fairseq.errors import InputError


class MissingExtra(InputError):
    """A score cannot be computed because a library is not installed."""


def missing_extra(library, purpose):
    """The error to raise. library: its name in pip; purpose: what needs it."""
    return MissingExtra(f"{purpose} needs {library}: pip install 'crossinit_fairseq[recipes]'")
