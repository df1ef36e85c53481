"""The dictionary of a data folder as fairseq's programs see it."""

import os
from typing import Any, List

import torch
from fairseq.data import Dictionary

from crossinit_fairseq.data.dictionary import check_control_symbols, read_entries
from crossinit_fairseq.data.text_check import check_dictionaries
from crossinit_fairseq.errors import InputError


class FixedDictionary(Dictionary):
    """A dictionary to which text adds nothing: a word that it does not hold is ``<unk>``.

    BART's hub interface lets fairseq's own grow by such words. The embedding table has no rows for them, and every
    later call would meet them again.
    """

    def encode_line(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """fairseq's own, with add_if_not_exist off. Returns int32 [T]."""
        if len(args) > 2:
            args = (*args[:2], False, *args[3:])
        else:
            kwargs["add_if_not_exist"] = False
        return super().encode_line(*args, **kwargs)


def load_dictionary(folders: List[str], languages: List[str]) -> FixedDictionary:
    """Load dict.txt of the first data folder, and check that it can serve every stage.

    Raises InputError when it is missing, malformed (see `read_entries`), lacks the mask or a language's token, or when
    text of the languages in one of the folders was binarised with another dictionary (see `check_dictionaries`).
    """
    path = os.path.join(folders[0], "dict.txt")
    if not os.path.isfile(path):
        raise InputError(f"{path} is missing: copy the dictionary that the text was binarised with there")
    dictionary = FixedDictionary()
    for symbol, count in read_entries(path):
        dictionary.add_symbol(symbol, count)
    check_control_symbols(dictionary.symbols, languages, path)
    check_dictionaries(folders, languages, dictionary.symbols)
    return dictionary
