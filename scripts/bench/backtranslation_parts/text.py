"""Made-up text of two languages in a data folder."""

import numpy as np
import torch

LANGUAGES = ("aa", "bb")
# stock writes no sentence of fewer than 5 tokens
SPREAD, LENGTHS = 0.75, (5, 200)


def write_data(folder, setting, rng):
    """A data folder that both tasks take: stock adds __aa__ and the like to its dictionary unless they are there.

    setting: of workloads.py.
    """
    from fairseq.data import Dictionary, indexed_dataset

    from crossinit_fairseq.data.dictionary import WORD_START, control_symbols

    words = setting.vocabulary - 9  # fairseq's four symbols, two tokens a language, <mask>
    # two in five sub-tokens go on with a word
    symbols = [f"{'' if k % 5 in (1, 3) else WORD_START}{k}" for k in range(words)]
    symbols += [f"__{name}__" for name in LANGUAGES] + control_symbols(LANGUAGES)
    (folder / "dict.txt").write_text("".join(symbol + " 1\n" for symbol in symbols), encoding="utf-8")
    dictionary = Dictionary.load(str(folder / "dict.txt"))
    half = words // 2
    chances = 1 / np.arange(3, half + 3)
    for number, language in enumerate(LANGUAGES):
        (folder / language).mkdir()
        drawn = np.exp(rng.normal(np.log(setting.median_length), SPREAD, setting.sentences))
        of_text = drawn.round().clip(*LENGTHS).astype(int)
        for split, lengths in (("train", of_text), ("valid", of_text[:20])):
            path = str(folder / language / split)
            builder = indexed_dataset.make_builder(path + ".bin", impl="mmap", vocab_size=len(dictionary))
            for length in lengths:
                text = 4 + number * half + rng.choice(half, length, p=chances / chances.sum())
                builder.add_item(torch.tensor(text.tolist() + [dictionary.eos()]))
            builder.finalize(path + ".idx")
