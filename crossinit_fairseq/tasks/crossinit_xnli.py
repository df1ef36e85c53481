"""The task `crossinit_xnli`: natural language inference, trained on one language and read in every other."""

import logging
from dataclasses import dataclass, field
from typing import Any, Dict, List, Sequence

import torch
import torch.nn as nn
from fairseq.data import Dictionary
from fairseq.models import BaseFairseqModel
from fairseq.tasks import register_task

from crossinit_fairseq.data.datasets.examples import Example
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.encoding import SPECIAL, PairForm, PieceEncoder, shorten_pair
from crossinit_fairseq.finetuning.nli_files import LABELS, Pair, read_pairs
from crossinit_fairseq.models.fine_tuned import ClassificationHead
from crossinit_fairseq.tasks.fine_tuning import FineTuningConfig, FineTuningTask, report_training_files

logger = logging.getLogger(__name__)


@dataclass
class CrossInitXnliConfig(FineTuningConfig):
    """Options of `--task crossinit_xnli`."""

    max_length: int = field(
        default=128,
        metadata={"help": "longest input, in sub-tokens, special tokens included; longer pairs are cut (XTREME: 128)"},
    )


@register_task("crossinit_xnli", dataclass=CrossInitXnliConfig)
class CrossInitXnliTask(FineTuningTask):
    """Say of a premise and a hypothesis: entailment, neutral or contradiction (Conneau et al., 2018).

    Goes with fairseq's `--criterion sentence_prediction`; choose a checkpoint by `accuracy`, which is of the languages
    trained on. See finetuning.nli_files for the files.
    """

    cfg: CrossInitXnliConfig
    name = "crossinit_xnli"
    criterion = "sentence_prediction"

    def __init__(self, cfg: CrossInitXnliConfig, dictionary: Dictionary, form: PairForm, pieces: PieceEncoder):
        if cfg.max_length < SPECIAL + 2:
            raise InputError(f"--max-length is {cfg.max_length}: {SPECIAL} special tokens and two words make 6")
        super().__init__(cfg, dictionary, form, pieces)

    @property
    def label_dictionary(self) -> None:
        """None: labels are numbers already. fairseq's criterion asks."""
        return None

    def build_head(self, dimensions: int, dropout: float) -> nn.Module:
        """One score for each of LABELS."""
        return ClassificationHead(dimensions, len(LABELS), dropout)

    def training_examples(self) -> List[Example]:
        """The pairs of all files that have a label, and tokens in both texts; the others are counted in the log."""
        examples: List[Example] = []
        left_out = 0
        for language, path in self.train_files:
            for pair in read_pairs(path, language, by_id=False):
                example = self.example(len(examples), pair, language)
                if pair.label is None or not example.targets[0][1]:
                    left_out += 1
                else:
                    examples.append(example._replace(targets=[[pair.label]]))
        report_training_files(self.train_files, len(examples), left_out)
        return examples

    def evaluation_examples(self, language: str, path: str) -> List[Example]:
        """All pairs of a file. Raises InputError for one without a label."""
        examples, pairs = [], read_pairs(path, language)
        for number, pair in enumerate(pairs):
            if pair.label is None:
                raise InputError(f"{path}: the pair {pair.id} has no label to validate with")
            examples.append(self.example(number, pair, language))
        _say_without_tokens(examples, path)
        return [example._replace(targets=[[pair.label]]) for example, pair in zip(examples, pairs)]

    def example(self, number: int, pair: Pair, language: str) -> Example:
        """A pair as an input. Its target is (0, whether both texts have a token), to be replaced by the label."""
        texts = [self.pieces.encode(text) for text in (pair.premise, pair.hypothesis)]
        whole = int(all(len(text) for text in texts))
        lengths = shorten_pair(len(texts[0]), len(texts[1]), self.cfg.max_length - SPECIAL)
        first, second = (text[:length] for text, length in zip(texts, lengths))
        encoded = self.form.join(first, second, language, language)
        languages = None if encoded.languages is None else [encoded.languages]
        return Example(number, [encoded.tokens], languages, [[0, whole]])

    def predict(
        self, model: BaseFairseqModel, pairs: Sequence[Pair], language: str, max_tokens: int = 4096
    ) -> List[int]:
        """The label of each pair, as a number of LABELS. Raises InputError for a language without an embedding."""
        self.form.check_language(language)
        labels = [0] * len(pairs)
        examples = [self.example(number, pair, language) for number, pair in enumerate(pairs)]
        _say_without_tokens(examples, language)
        device = next(model.parameters()).device
        with torch.no_grad():
            for sample in self.batches(examples, max_tokens):
                scores, _ = model(**{key: value.to(device) for key, value in sample["net_input"].items()})
                for number, label in zip(sample["id"].tolist(), scores.argmax(1).tolist()):
                    labels[number] = label
        return labels

    def log_scores(self, logging_outputs: Sequence[Dict[str, Any]], end: str) -> None:
        """Nothing more: the criterion logs the accuracy."""

    def max_positions(self) -> int:
        """Longest input, in sub-tokens."""
        return self.cfg.max_length


def _say_without_tokens(examples: Sequence[Example], place: str) -> None:
    """Count the pairs of which a text has no token, in the log. examples: as `example` makes them."""
    count = sum(not example.targets[0][1] for example in examples)
    if count:
        logger.warning(
            f"{place}: {count:,} of {len(examples):,} pairs have a text of which no token is left; each gets a label "
            "all the same"
        )
