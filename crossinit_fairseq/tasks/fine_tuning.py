"""What the tasks of fine-tuning share: files of languages, the form of an input, a head, validation by language."""

import logging
import math
import os
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Sequence, Set, Tuple

import numpy as np
import torch.nn as nn
from fairseq.criterions import FairseqCriterion
from fairseq.data import Dictionary
from fairseq.dataclass import ChoiceEnum
from fairseq.logging import metrics
from fairseq.models import BaseFairseqModel, FairseqEncoderModel
from fairseq.models.transformer import TransformerModelBase

from crossinit_fairseq.data import dictionary_record
from crossinit_fairseq.data.datasets.examples import Example, Examples
from crossinit_fairseq.data.datasets.fixed_dictionary import load_dictionary
from crossinit_fairseq.data.datasets.grouped_batches import GroupedBatches
from crossinit_fairseq.data.dictionary import MASK, languages_in, read_symbols
from crossinit_fairseq.data.folder import data_folders
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.finetuning.encoding import FORMS, PairForm, PieceEncoder
from crossinit_fairseq.finetuning.language_files import LanguageFile, language_files
from crossinit_fairseq.models.checkpoint_fit import check_dictionary_fits
from crossinit_fairseq.models.fine_tuned import FineTunedModel, dimensions_of
from crossinit_fairseq.tasks.base import CrossInitTask, RunConfig

logger = logging.getLogger(__name__)

_FEW_BYTES = 4 << 20  # of files that are read in seconds


@dataclass
class FineTuningConfig(RunConfig):
    """Options that the tasks of fine-tuning share."""

    pieces: Optional[str] = field(
        default=None,
        metadata={"help": "SentencePiece model that the text of pre-training was cut with (default: DATA/spm.model)"},
    )
    train_files: str = field(
        default="",
        metadata={
            "help": "files to train on, such as en=train.en.tsv; several, of one language or more, between commas"
        },
    )
    valid_files: str = field(
        default="",
        metadata={
            "help": "files to validate on, such as en=dev.en.tsv,de=dev.de.tsv. Only those of languages that are "
            "trained on count for the loss and the score that choose a checkpoint; of others the score is logged as "
            "accuracy_de"
        },
    )
    form: ChoiceEnum(["auto"] + list(FORMS)) = field(
        default="auto",
        metadata={
            "help": "how two texts stand in an input. xlm: <s> a </s> b </s> [lang], with a language embedding where "
            "the model has one; roberta: <s> a </s></s> b </s>; auto: xlm if dict.txt ends with language tokens, else "
            "roberta"
        },
    )


class FineTuningTask(CrossInitTask):
    """A task that trains a pre-trained encoder, and a head on it, on files of labelled text.

    Epochs draw their batches anew, by the seed and the epoch alone, from inputs sorted by length.
    """

    cfg: FineTuningConfig
    scores: Tuple[str, ...] = ()  # what valid_step logs beside the criterion's: sums over sentences

    def __init__(self, cfg: FineTuningConfig, dictionary: Dictionary, form: PairForm, pieces: PieceEncoder):
        super().__init__(cfg, dictionary, list(form.tokens))
        self.form, self.pieces = form, pieces
        self.train_files = language_files(cfg.train_files, "--train-files")
        self.valid_files = language_files(cfg.valid_files, "--valid-files")
        self.trained = list(dict.fromkeys(language for language, _ in self.train_files))
        for language, _ in self.train_files + self.valid_files:
            form.check_language(language)
        validated = {language for language, _ in self.valid_files}
        if self.trained and validated and not validated & set(self.trained):
            raise InputError(
                f"--valid-files has no file of {', '.join(self.trained)}, and a checkpoint is chosen by a language "
                "that is trained on, never by those that are only read"
            )
        self._examples: List[Example] = []

    @classmethod
    def setup_task(cls, cfg: FineTuningConfig, **kwargs: Any) -> "FineTuningTask":
        """Check the options, the dictionary and the pieces before anything is built."""
        with one_sentence():
            folder = data_folders(cfg.data)[0]
            dictionary, form = dictionary_and_form(folder, str(cfg.form))
            path = cfg.pieces or os.path.join(folder, "spm.model")
            return cls(cfg, dictionary, form, PieceEncoder(path, dictionary.indices, folder))

    @abstractmethod
    def training_examples(self) -> List[Example]:
        """The examples of --train-files."""

    @abstractmethod
    def evaluation_examples(self, language: str, path: str) -> List[Example]:
        """The examples of a file, as valid_step needs them."""

    @abstractmethod
    def build_head(self, dimensions: int, dropout: float) -> nn.Module:
        """The head of the model."""

    def build_model(self, cfg: Any, from_checkpoint: bool = False) -> BaseFairseqModel:
        """Build the model and its head; a checkpoint of another dictionary will be refused in words."""
        with one_sentence():
            kinds = (FairseqEncoderModel, TransformerModelBase)
            self.check_architecture(cfg, kinds, "an encoder of text such as xlm_tiny_3, roberta or mbart_base")
            body = self.build_fairseq_model(cfg, from_checkpoint)
            check_dictionary_fits(body, self.dictionary, self.cfg.data)
            options = getattr(body, "args", None) or body.cfg
            model = FineTunedModel(body, self.build_head(dimensions_of(body), float(getattr(options, "dropout", 0.1))))
            if model.max_positions() < self.max_positions():
                raise InputError(
                    f"--max-length is {self.max_positions()} but the model has {model.max_positions()} positions: give "
                    "--max-length as much or less"
                )
            if not from_checkpoint:
                self.check_starting_checkpoint()
        return model

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Take over the task's part of a checkpoint: its dictionary must be this one."""
        with one_sentence():
            dictionary_record.check_record(
                state_dict.get(dictionary_record.NAME), self.dictionary.symbols, self.folders[0]
            )

    def load_dataset(self, split: str, epoch: int = 1, combine: bool = False, **kwargs: Any) -> None:
        """Training: examples of like lengths, those of one length in an order of the epoch. Else: by language."""
        with one_sentence():
            if split == self.cfg.train_subset:
                if not self._examples:
                    if not self.train_files:
                        raise InputError("nothing to train on: give --train-files, such as en=train.en.tsv")
                    self._examples = self.training_examples()
                order = np.random.default_rng([self.cfg.seed, epoch]).permutation(len(self._examples))
                groups = [("train", Examples([self._examples[k] for k in order]))]
            else:
                if split != "valid" or not self.valid_files:
                    raise InputError(
                        f"there is nothing for the split {split}: --valid-files is the split valid, or give "
                        "--disable-validation (the official fairseq 0.12.2 wants --valid-files all the same)"
                    )
                # several files of a language are one group each, under the same name
                groups = [(name, Examples(self.evaluation_examples(name, path))) for name, path in self.valid_files]
        self.datasets[split] = GroupedBatches(groups)

    def rehearse_reading(self) -> None:
        """Read small files, and see that there are any."""
        if sum(os.path.getsize(path) for _, path in self.train_files if os.path.isfile(path)) <= _FEW_BYTES:
            self.load_dataset(self.cfg.train_subset)

    def has_sharded_data(self, split: str) -> bool:
        """Yes for training: fairseq then asks for a new order for each epoch."""
        return split == self.cfg.train_subset

    def batches(self, examples: Sequence[Example], max_tokens: int) -> Iterator[Dict[str, Any]]:
        """Batches of like lengths of at most `max_tokens` padded tokens, or of one example. For prediction."""
        dataset = Examples(examples)
        grouped = GroupedBatches([("", dataset)])
        for batch in grouped.batch_by_size(None, max_tokens=max_tokens):
            yield dataset.collater([dataset[index] for index in batch])

    def valid_step(
        self, sample: Dict[str, Any], model: BaseFairseqModel, criterion: FairseqCriterion
    ) -> Tuple[Any, int, Dict[str, Any]]:
        """fairseq's own; what is of a language that is not trained on is logged under that language's name alone."""
        loss, sample_size, logs = super().valid_step(sample, model, criterion)
        logs.update(self.score(sample, model))
        keys = list(logs)
        for language in self._others():
            own = 1 if sample["group"] == language else 0
            logs.update({f"{key}_{language}": logs[key] * own for key in keys})
        if sample["group"] not in self.trained:
            logs.update({key: logs[key] * 0 for key in keys})
        return loss, sample_size, logs

    def validation_metrics(self, split: str) -> Optional[Set[str]]:
        """The criterion's and those of `score`, for the languages that are trained on; the like of each other one."""
        logged = super().validation_metrics(split)
        if logged is None:
            return None
        ends = {f"_{language}" for language in self._others()}
        return logged.union(self.scores, *({name + end for name in ("loss", "accuracy", *self.scores)} for end in ends))

    def check_metric(self, metric: str) -> None:
        """Refuse the metric of a language that is only read: by it, what is read would not be read zero-shot."""
        for language in self._others():
            if metric.endswith(f"_{language}"):
                raise InputError(
                    f"--best-checkpoint-metric {metric}: a checkpoint is chosen by a language that is trained on, "
                    f"never by {language}, which is only read: give {metric[: -len(language) - 1]}"
                )

    def score(self, sample: Dict[str, Any], model: BaseFairseqModel) -> Dict[str, float]:
        """More to log of a validation batch: sums."""
        return {}

    def _others(self) -> List[str]:
        return [name for name in dict.fromkeys(name for name, _ in self.valid_files) if name not in self.trained]

    def reduce_metrics(self, logging_outputs: Sequence[Dict[str, Any]], criterion: FairseqCriterion) -> None:
        """The criterion's, for the languages that are trained on; the loss and the scores of each other language."""
        if sum(log.get("sample_size", 0) for log in logging_outputs):
            super().reduce_metrics(logging_outputs, criterion)
            self.log_scores(logging_outputs, "")
        else:
            metrics.log_scalar("loss", 0.0, 0, round=3)  # of nothing: fairseq warns where there is none
        for language in self._others():
            end = "_" + language
            size = sum(log.get("sample_size" + end, 0) for log in logging_outputs)
            if size:
                total = sum(log.get("loss" + end, 0) for log in logging_outputs)
                metrics.log_scalar("loss" + end, total / size / math.log(2), size, round=3)
                right = sum(log.get("ncorrect" + end, 0) for log in logging_outputs)
                metrics.log_scalar("accuracy" + end, 100.0 * right / size, size, round=2)
                self.log_scores(logging_outputs, end)

    def log_scores(self, logging_outputs: Sequence[Dict[str, Any]], end: str) -> None:
        """Log what `score` gave. end: of the names of one language's sums."""


def report_training_files(files: Sequence[LanguageFile], count: int, left_out: int) -> None:
    """Log which files are trained on, and what was left out of them. Raises InputError when nothing is left."""
    names = ", ".join(f"{language}={path}" for language, path in files)
    if left_out:
        logger.warning(f"{names}: left out {left_out:,} that have no label or no token")
    if not count:
        raise InputError(f"{names}: nothing is left to train on")
    logger.info(f"{names}: {count:,} inputs")


def dictionary_and_form(folder: str, form: str) -> Tuple[Dictionary, PairForm]:
    """The dictionary of a data folder and the form of its inputs. form: "auto" or one of FORMS. Raises InputError."""
    path = os.path.join(folder, "dict.txt")
    if not os.path.isfile(path):
        raise InputError(f"{path} is missing: copy the dictionary of pre-training there")
    symbols = read_symbols(path)
    try:
        tokens = languages_in(symbols)
    except InputError:
        if form == "xlm":
            raise
        tokens = {}
    if form == "roberta" or not tokens:
        dictionary = Dictionary.load(path)
        dictionary.add_symbol(MASK)  # where it is not there: fairseq's own tasks add it when they pre-train roberta
        return dictionary, PairForm("roberta", {})
    return load_dictionary([folder], list(tokens)), PairForm("xlm", tokens)
