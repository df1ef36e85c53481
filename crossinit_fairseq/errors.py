"""How bad input is reported: one sentence that says what is wrong, where, and what to do."""

from contextlib import contextmanager


class InputError(ValueError):
    """The user's data or options cannot be used; the message is meant to be read by the user."""


@contextmanager
def one_sentence():
    """At fairseq's door, turn an `InputError` into a message on stderr and exit status 1.

    fairseq catches `Exception` in places and hides the cause behind a text of its own; `SystemExit` passes through.
    """
    try:
        yield
    except InputError as error:
        raise SystemExit(f"crossinit_fairseq: error: {error}") from None
