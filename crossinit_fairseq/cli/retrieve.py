"""crossinit-retrieve: whether a checkpoint's states find translations, without any fine-tuning."""

import argparse
import json
import os
import sys
from itertools import combinations
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from crossinit_fairseq.cli import command
from crossinit_fairseq.cli.command import format_columns, positive
from crossinit_fairseq.complete_files import check_new_file, complete_file
from crossinit_fairseq.errors import InputError

_ABOUT = """\
Sentence retrieval between aligned files and word retrieval against MUSE dictionaries, by CSLS of means over sub-tokens:
of their rows in the token table, and of the states of each layer (layer 0: table, places and language, normalised). For
checkpoints of crossinit_pretrain, of crossinit_mlm and of fine-tuning."""

_EXAMPLES = """\
example:
  crossinit-retrieve data-bin --path checkpoints/mlm/checkpoint_last.pt --sentences en=dev.en --sentences de=dev.de \\
    --words en-de=en-de.5000-6500.txt --json retrieval.json

Sentences: percent of the lines whose nearest line of the other file is their translation, mean of both directions.
Words: percent of the source words whose nearest word, among the target words of the dictionary, is a translation.
--json has a figure for the table, then one for each layer. It also holds `hits`: for each of them a text of 1 (found)
and 0, a digit for each sentence of the first language, then for each of the second; or for each source word, in the
dictionary's order."""


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; returns the exit status: 0, or 1 after one sentence on stderr. Wrong usage exits with 2."""
    parser = argparse.ArgumentParser(
        prog="crossinit-retrieve",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("data", metavar="DATA", help="folder with dict.txt")
    parser.add_argument("--path", required=True, metavar="FILE", help="the checkpoint")
    parser.add_argument("--pieces", metavar="FILE", help="SentencePiece model (default: DATA/spm.model)")
    parser.add_argument(
        "--sentences", action="append", default=[], metavar="LANG=FILE", help="aligned; for each language"
    )
    parser.add_argument("--words", action="append", default=[], metavar="SRC-TGT=FILE", help="a MUSE dictionary")
    parser.add_argument(
        "--max-sentences", type=positive, default=1000, metavar="N", help="lines (default: %(default)s)"
    )
    parser.add_argument(
        "--max-tokens", type=positive, default=8192, metavar="N", help="of a batch (default: %(default)s)"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures to this file too")
    options = parser.parse_args(arguments)
    if not options.sentences and not options.words:
        parser.error("give --sentences or --words")
    return command.run("crossinit-retrieve", lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    from crossinit_fairseq.finetuning.language_files import language_file, unique
    from crossinit_fairseq.finetuning.retrieval import (
        dictionary_hits,
        read_aligned,
        read_translations,
        retrieval_hits,
    )
    from crossinit_fairseq.languages import language_pair

    if options.json:
        check_new_file(options.json, [options.path])
    aligned = {}
    if options.sentences:
        aligned = read_aligned(
            unique([language_file(text, "--sentences") for text in options.sentences], "--sentences")
        )
    words = {}
    for text in options.words:
        named, equals, path = text.partition("=")
        if not equals or not path:
            raise InputError(f"--words takes SRC-TGT=FILE, such as en-de=en-de.txt, not {text!r}")
        pair = language_pair(named)
        if pair in words:
            raise InputError(f"--words names {named} twice: give one dictionary for each pair")
        words[pair] = read_translations(path)
    states = _States(options)
    hits: Dict[str, Dict[str, List[np.ndarray]]] = {"sentences": {}, "words": {}}
    vectors = {name: states.of(lines[: options.max_sentences], name) for name, lines in aligned.items()}
    for first, second in combinations(vectors, 2):
        both = [retrieval_hits(left, right) for left, right in zip(vectors[first], vectors[second])]
        hits["sentences"][f"{first}-{second}"] = [np.concatenate(pair) for pair in both]
    for (source, target), (left, right, translations) in words.items():
        layers = zip(states.of(left, source), states.of(right, target))
        hits["words"][f"{source}-{target}"] = [dictionary_hits(a, b, translations) for a, b in layers]
    result: Dict[str, Dict[str, List[float]]] = {
        group: {pair: [100 * float(layer.mean()) for layer in layers] for pair, layers in pairs.items()}
        for group, pairs in hits.items()
    }
    if options.json:
        with complete_file(options.json) as part, open(part, "w", encoding="utf-8") as stream:
            json.dump(dict(result, hits=_as_digits(hits)), stream, indent=1)
            stream.write("\n")
    print(_table(result))


def _as_digits(hits: Dict[str, Dict[str, List[np.ndarray]]]) -> Dict[str, Dict[str, List[str]]]:
    """Each layer as a text of 1 for a hit and 0 for none: of sentences those of the first language come first."""
    return {
        group: {pair: ["".join("01"[int(hit)] for hit in layer) for layer in layers] for pair, layers in pairs.items()}
        for group, pairs in hits.items()
    }


def _table(result: Dict[str, Dict[str, List[float]]]) -> str:
    columns = max(len(values) for group in result.values() for values in group.values())
    rows = [["", "", "table"] + [f"layer {k}" for k in range(columns - 1)]]
    for group, pairs in result.items():
        for pair, values in pairs.items():
            rows.append([group, pair] + [f"{value:.1f}" for value in values])
    return format_columns(rows)


class _States:
    """Mean-pooled rows of a checkpoint's token table, and states of its layers."""

    def __init__(self, options: argparse.Namespace):
        from crossinit_fairseq.finetuning.encoding import PieceEncoder
        from crossinit_fairseq.models.token_tables import find_token_tables
        from crossinit_fairseq.tasks.fine_tuning import dictionary_and_form  # says what to do without fairseq

        if not os.path.isfile(options.path):
            raise InputError(f"there is no checkpoint {options.path}")
        from fairseq import checkpoint_utils

        overrides = {"data": options.data, "train_files": "", "valid_files": "", "pieces": options.pieces}
        overrides.update(restore_file=None, finetune_from_model=None, save_dir=None)
        overrides.update(lexicon=None, ranks=None)  # what a table was aligned by need not be there any more
        try:
            models, _, _ = checkpoint_utils.load_model_ensemble_and_task([options.path], arg_overrides=overrides)
        except SystemExit as error:  # our tasks end so, at fairseq's door
            raise InputError(str(error.code).replace("crossinit_fairseq: error: ", "", 1)) from None
        except (OSError, RuntimeError, KeyError, EOFError) as error:
            raise InputError(f"{options.path} cannot be loaded: {str(error).splitlines()[0][:120]}") from None
        self.model, self.max_tokens = models[0].eval(), options.max_tokens
        dictionary, self.form = dictionary_and_form(options.data, "auto")
        self.table = next(iter(find_token_tables(self.model, dictionary).values())).detach()
        path = options.pieces or os.path.join(options.data, "spm.model")
        self.pieces = PieceEncoder(path, dictionary.indices)
        positions: Any = self.model.max_positions()
        self.longest = (positions[0] if isinstance(positions, tuple) else positions) - 4

    def of(self, texts: Sequence[str], language: str) -> np.ndarray:
        """float32 [1 + layers, N, d], of the table first. A text of no token is its end. Raises InputError."""
        import torch

        from crossinit_fairseq.data.datasets.examples import Example, Examples
        from crossinit_fairseq.data.datasets.grouped_batches import GroupedBatches
        from crossinit_fairseq.models.layer_states import layer_states, mean_states

        examples = []
        for number, text in enumerate(texts):
            encoded = self.form.single(self.pieces.encode(text)[: self.longest], language)
            languages = None if encoded.languages is None else [encoded.languages]
            examples.append(Example(number, [encoded.tokens], languages, [[max(encoded.length, 1)]]))
        dataset = Examples(examples)
        vectors: Dict[int, np.ndarray] = {}
        for batch in GroupedBatches([("", dataset)]).batch_by_size(None, max_tokens=self.max_tokens):
            sample = dataset.collater([dataset[index] for index in batch])
            with torch.no_grad():
                rows = self.table[sample["net_input"]["src_tokens"]]
                states = [rows, *layer_states(self.model, **sample["net_input"])]
                means = mean_states(states, 1, sample["target"][:, 0]).numpy()
            vectors.update({number: means[:, row] for row, number in enumerate(sample["id"].tolist())})
        return np.stack([vectors[number] for number in range(len(texts))], axis=1)


if __name__ == "__main__":
    sys.exit(main())
