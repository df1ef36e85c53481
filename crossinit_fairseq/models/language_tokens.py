"""The languages of a dictionary, which its language tokens name."""

import re

from crossinit_fairseq.errors import InputError

_TOKEN = re.compile(r"\[([^\s\[\]]+)\]")
_PASSED_OVER = re.compile(r"<mask>|madeupword\d+")


def languages_in(dictionary):
    """Return {language: index of its token} of the ``[language]`` tokens at the end of a dictionary, in its order.

    Their order there is the order of language embeddings: the one dictionary of all stages fixes it, whatever languages
    a stage is asked to train on. ``<mask>`` and fairseq's filling symbols may stand among or after them.
    Raises InputError when there are none.
    """
    found = []
    for index in range(len(dictionary) - 1, dictionary.nspecial - 1, -1):
        symbol = dictionary.symbols[index]
        token = _TOKEN.fullmatch(symbol)
        if token:
            found.append((token.group(1), index))
        elif not _PASSED_OVER.fullmatch(symbol):
            break
    if not found:
        raise InputError(
            "the dictionary names no language: it must end with the language tokens ([en], [ro], ...) and <mask>; "
            "append them to dict.txt, each followed by ' 1', before binarising"
        )
    return dict(reversed(found))
