"""A toy of two languages, a SentencePiece model of it, and its files of XNLI and of SQuAD."""

import json

import numpy as np

from crossinit_fairseq.data.dictionary import control_symbols, pieces_of, write_dictionary
from crossinit_fairseq.finetuning.nli_files import LABELS

WORDS = 24
SIZES = (
    "--encoder-layers 1 --encoder-embed-dim 32 --encoder-ffn-embed-dim 64 --encoder-attention-heads 2 "
    "--max-positions 64"
)
TRAINING = (
    "--optimizer adam --lr 0.003 --num-workers 0 --data-buffer-size 0 --no-epoch-checkpoints --log-format json "
    "--log-interval 1 --seed 3 --required-batch-size-multiple 1 --dropout 0.0 --attention-dropout 0.0"
)


def words(rng, language, count):
    return [f"{language[0]}{k}" for k in rng.integers(0, WORDS, size=count)]


def data_folder(folder, **options):
    """dict.txt and spm.model of the words aN and bN of the languages aa and bb. options: of the trainer."""
    import sentencepiece

    rng = np.random.default_rng(0)
    text = [" ".join(words(rng, language, 8)) for language in ("aa", "bb") for _ in range(400)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text),
        model_prefix=str(folder / "spm"),
        vocab_size=70,
        hard_vocab_limit=False,
        minloglevel=2,
        **options,
    )
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spm.model"))
    text_symbols = [piece for piece in pieces_of(model) if piece not in control_symbols(["aa", "bb"])]
    write_dictionary(str(folder / "dict.txt"), text_symbols, ["aa", "bb"])
    return folder


def foreign_model(folder):
    """The path of foreign.model: it has every letter of the toy and most of its pieces, and is of other words."""
    import sentencepiece

    rng = np.random.default_rng(1)
    text = [" ".join(words(rng, language, 8)) for language in ("aa", "bb") for _ in range(200)]
    text += ["a1b2a1b2 b3a3b3a3 a4a4 b5b5 " * 2] * 150
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text),
        model_prefix=str(folder / "foreign"),
        vocab_size=40,
        model_type="bpe",
        split_by_number=False,
        minloglevel=2,
    )
    return str(folder / "foreign.model")


def nli_file(path, language, count, seed, shuffled=False):
    """Pairs whose label the first word of the hypothesis tells: word 0, 1 or 2. shuffled: labels that nothing tells."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, size=count)
    shown = rng.permutation(labels) if shuffled else labels
    with open(str(path), "w", encoding="utf-8") as stream:
        for label, mark in zip(labels, shown):
            premise, hypothesis = words(rng, language, rng.integers(2, 9)), words(rng, language, rng.integers(1, 5))
            hypothesis = [f"{language[0]}{mark}"] + [w for w in hypothesis if w not in _marks(language)]
            stream.write("\t".join([" ".join(premise), " ".join(hypothesis), LABELS[label]]) + "\n")
    return str(path)


def _marks(language):
    return {f"{language[0]}{k}" for k in range(3)}


def marked_qa_file(path, language, count, seed, shuffled=False):
    """Paragraphs of 14 words; the answer is the three from the only word of another language to the only word 0.

    Both have a piece that no other word has: the first and the last of the answer. shuffled: the answer is any three
    words in a row, which nothing tells.
    """
    rng, paragraphs = np.random.default_rng(seed), []
    for number in range(count):
        context = [f"{language[0]}{k}" for k in rng.integers(10, WORDS, size=14)]
        place = int(rng.integers(12))
        context[place : place + 3] = [f"{'b' if language[0] == 'a' else 'a'}5", f"{language[0]}9", f"{language[0]}0"]
        place = int(rng.integers(12)) if shuffled else place
        start = len(" ".join(context[:place])) + (place > 0)
        answer = {"text": " ".join(context[place : place + 3]), "answer_start": start}
        row = {"id": f"q{number}", "question": f"{language[0]}5", "answers": [answer]}
        paragraphs.append({"context": " ".join(context), "qas": [row]})
    with open(str(path), "w", encoding="utf-8") as stream:
        json.dump({"version": "1.1", "data": [{"title": "toy", "paragraphs": paragraphs}]}, stream)
    return str(path)


def qa_file(path, language, count, seed, length=12):
    """Paragraphs of `length` words; the answer is the word that the question names."""
    rng, paragraphs = np.random.default_rng(seed), []
    for number in range(count):
        context = [f"{language[0]}{k}" for k in rng.permutation(WORDS)[:length]]
        place = int(rng.integers(length))
        start = len(" ".join(context[:place])) + (place > 0)
        answer = {"text": context[place], "answer_start": start}
        row = {"id": f"q{number}", "question": context[place], "answers": [answer]}
        paragraphs.append({"context": " ".join(context), "qas": [row]})
    with open(str(path), "w", encoding="utf-8") as stream:
        json.dump({"version": "1.1", "data": [{"title": "toy", "paragraphs": paragraphs}]}, stream)
    return str(path)
