"""crossinit_fairseq/errors.py"""

import pytest

from crossinit_fairseq.errors import InputError, one_sentence, printable


def test_what_a_terminal_can_be_steered_by_is_written_as_its_code():
    assert (
        printable("na\u00efve \u0915\u094d\u200d \U0001f600 a\u0301")
        == "na\u00efve \u0915\u094d\u200d \U0001f600 a\u0301"
    )
    assert printable("\x1b[2J\r\n\a\u009b\u202e\ufeff\ud800") == "\\x1b[2J\\r\\n\\x07\\x9b\\u202e\\ufeff\\ud800"


def test_at_fairseqs_door_an_input_error_is_one_sentence_and_status_1():
    with pytest.raises(SystemExit) as end:
        with one_sentence():
            raise InputError("\x1b[31mx.txt is empty")
    # a text as the status of an exit is printed to stderr, and the status is 1
    assert end.value.code == "crossinit_fairseq: error: \\x1b[31mx.txt is empty"
    with pytest.raises(ValueError, match="a fault"):
        with one_sentence():
            raise ValueError("a fault")
