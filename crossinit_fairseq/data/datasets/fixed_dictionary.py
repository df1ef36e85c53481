"""The dictionary of a data folder as fairseq's programs see it."""

import os
from typing import Any, Callable, Dict, List, Optional

import torch
from fairseq.data import Dictionary
from fairseq.tokenizer import tokenize_line

from crossinit_fairseq.data.dictionary import check_control_symbols, read_entries
from crossinit_fairseq.data.text_check import check_dictionaries
from crossinit_fairseq.errors import InputError


class FixedDictionary(Dictionary):
    """A dictionary to which text adds nothing: a word that it does not hold is ``<unk>``.

    BART's hub interface lets fairseq's own grow by such words. The embedding table has no rows for them, and every
    later call would meet them again.

    ``fairseq-generate --remove-bpe`` asks for growth by name, to tell whole words apart when it counts its last line's
    BLEU. Such words get numbers past the end, the same word the same number; the dictionary itself stays as it is.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._past_the_end: Dict[str, int] = {}

    def encode_line(
        self,
        line: str,
        line_tokenizer: Callable[[str], List[str]] = tokenize_line,
        add_if_not_exist: bool = False,
        consumer: Optional[Callable[[str, int], None]] = None,
        append_eos: bool = True,
        reverse_order: bool = False,
    ) -> torch.Tensor:
        """fairseq's own, but for unknown words. Returns int32 [T].

        add_if_not_exist: give each unknown word a number of its own, at least the length of the dictionary.
        """
        words = []

        def keep(word: str, index: int) -> None:
            words.append(word)
            if consumer is not None:
                consumer(word, index)

        numbers = super().encode_line(line, line_tokenizer, False, keep, append_eos, reverse_order)
        if add_if_not_exist:
            for place, word in enumerate(words):
                if word not in self:
                    numbers[place] = len(self) + self._past_the_end.setdefault(word, len(self._past_the_end))
        return numbers


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
