"""One SentencePiece model for all languages, and the one dictionary of every later stage.

The model sees lines drawn at random from each language, in proportion to (its share of all lines) ** alpha, as many as
were asked for and the smallest language allows without using a line twice. The same text, settings and seed give the
same bytes.
"""

import io
import os
import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, List, Sequence

from crossinit_fairseq.complete_files import complete_file
from crossinit_fairseq.data.dictionary import as_file, dictionary_symbols, pieces_of
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.preparation.stage_files import count_lines, lines_of

_LONGEST = 1 << 14  # bytes of a line; SentencePiece skips longer ones. `clean` lets 2,000 characters through
_THREADS = 4  # a fixed number: sums of another number of threads round otherwise


@dataclass(frozen=True)
class VocabularySettings:
    """What to train. size: pieces with <unk>, <s> and </s>; alpha: 1 draws lines as the text is, 0 alike of every
    language; sentences: to train on; model_type: unigram or bpe; seed: of the drawing."""

    size: int
    alpha: float
    sentences: int
    model_type: str
    character_coverage: float
    seed: int


def train_vocabulary(languages: Sequence[str], text: str, settings: VocabularySettings) -> Any:
    """A SentencePieceProcessor trained on TEXT/LANG.txt. Raises InputError for a size unfit for the text."""
    paths = [os.path.join(text, language + ".txt") for language in languages]
    lines = [count_lines(path) for path in paths]
    drawn = lines_per_language(lines, settings.alpha, settings.sentences)
    for language, all_lines, some in zip(languages, lines, drawn):
        print(f"{language}: {some:,} of {all_lines:,} lines")
    return train(sample(paths, lines, drawn, settings.seed), settings)


def write_vocabulary(model: Any, languages: Sequence[str], out: str) -> int:
    """Write OUT/spm.model, OUT/spm.vocab and OUT/dict.txt of a SentencePieceProcessor; returns the dictionary's size.

    All or none: what is there stays until all are written, and dict.txt comes last, so that where it is the model is
    too. Raises InputError when a piece of the model has the name of another symbol.
    """
    os.makedirs(out, exist_ok=True)
    symbols = dictionary_symbols(os.path.join(out, "dict.txt"), pieces_of(model), languages)
    vocab = "".join(f"{model.id_to_piece(k)}\t{model.get_score(k):g}\n" for k in range(len(model)))
    contents = {
        "dict.txt": as_file(symbols),
        "spm.vocab": vocab.encode("utf-8"),
        "spm.model": model.serialized_model_proto(),
    }
    with ExitStack() as files:  # which get their names in the reverse order
        for name, content in contents.items():
            with open(files.enter_context(complete_file(os.path.join(out, name))), "wb") as stream:
                stream.write(content)
    return len(symbols)


def lines_per_language(lines: Sequence[int], alpha: float, most: int) -> List[int]:
    """How many lines to draw of each language: in proportion to (n / sum of n) ** alpha, as many as there are at most.

    lines: list of int, n of each language; most: lines to draw in all. Returns a list of int.
    """
    weights = [(n / sum(lines)) ** alpha for n in lines]
    shares = [weight / sum(weights) for weight in weights]
    total = min([float(most)] + [n / share for n, share in zip(lines, shares)])
    # a rounding error must not ask for a line more than there is
    return [max(1, min(n, int(total * share + 1e-6))) for n, share in zip(lines, shares)]


def sample(paths: Sequence[str], lines: Sequence[int], drawn: Sequence[int], seed: int) -> Iterator[str]:
    """Yield `drawn` of the `lines` of each path, drawn at random, in the order of the files."""
    import numpy as np

    for number, (path, all_lines, some) in enumerate(zip(paths, lines, drawn)):
        chosen = np.zeros(all_lines, dtype=bool)
        chosen[np.random.default_rng([seed, number]).permutation(all_lines)[:some]] = True
        for taken, line in zip(chosen, lines_of(path)):
            if taken:
                yield line


def train(sentences: Iterable[str], settings: VocabularySettings) -> Any:
    """A SentencePieceProcessor trained on an iterator of str. Raises InputError for a size unfit for the text."""
    import sentencepiece

    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=sentences,
            model_writer=model,
            vocab_size=settings.size,
            model_type=settings.model_type,
            character_coverage=settings.character_coverage,
            max_sentence_length=_LONGEST,
            num_threads=_THREADS,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise InputError(_explain(str(error), settings.size)) from None
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def _explain(message: str, size: int) -> str:
    """What SentencePiece's error message comes to."""
    most = re.search(r"Vocabulary size too high.*<= (\d+)", message)
    if most:
        return f"--size {size}: the text is too small for so many pieces; use at most {most.group(1)}, or more text"
    least = re.search(r"smaller than required_chars. \d+ vs (\d+)", message)
    if least:
        return f"--size {size}: the text has more different characters than that; use more than {least.group(1)}"
    return f"--size {size}: SentencePiece found no model: {' '.join(message.split())}"
