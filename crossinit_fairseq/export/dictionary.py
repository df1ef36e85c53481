"""The symbols of a fairseq dictionary file."""

from crossinit_fairseq.errors import InputError

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")  # fairseq puts these before those of the file
MASK = "<mask>"


def read_symbols(path):
    """The symbols of dict.txt as fairseq numbers them: its own four, then those of the file. Returns list of str [V].

    Raises InputError when the file is missing, not UTF-8, has a line that is not `symbol count`, or a symbol twice
    (nor is fairseq's `#fairseq:overwrite` read, which allows that: one symbol could then mean two rows).
    """
    symbols = list(SPECIAL)
    try:
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                # as fairseq does: the count follows the last space
                symbol, space, count = line.rstrip().rpartition(" ")
                if not space or not symbol or not count.lstrip("-").isdigit():
                    raise InputError("{}, line {}: not `symbol count`: {!r}".format(path, number, line.strip()[:60]))
                symbols.append(symbol)
    except OSError as error:
        raise InputError("{} cannot be read: {}".format(path, error.strerror)) from None
    except UnicodeDecodeError:
        raise InputError("{} is not UTF-8 text: give the dict.txt of the data folder".format(path)) from None
    if len(symbols) == len(SPECIAL):
        raise InputError("{} is empty: give the dict.txt of the data folder".format(path))
    seen = set()
    for symbol in symbols:
        if symbol in seen:
            raise InputError("{} has the symbol {!r} twice (fairseq's own four included)".format(path, symbol))
        seen.add(symbol)
    return symbols
