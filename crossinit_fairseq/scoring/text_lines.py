"""Text files of one sentence a line."""

from crossinit_fairseq.errors import InputError


def read_lines(path):
    """The lines of a UTF-8 file as a list of str, without the white space around them. Only a line feed ends a line.

    Raises InputError for a file that cannot be read, is empty or is not UTF-8.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = 1 + data.count(b"\n", 0, error.start)
        raise InputError(f"{path} is not UTF-8 in line {line}: is it text at all?") from None
    if not text.strip():
        raise InputError(f"{path} is empty: give one sentence a line")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.strip() for line in lines]
