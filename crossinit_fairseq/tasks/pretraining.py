"""What the tasks share that pre-train a whole model on monolingual text: masked LM and denoising."""

import math
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from fairseq.criterions import FairseqCriterion
from fairseq.logging import metrics
from fairseq.models import BaseFairseqModel

from crossinit_fairseq.data.folder import check_languages, data_folders, languages_of
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.tasks.base import CrossInitConfig, CrossInitTask


@dataclass
class PretrainingConfig(CrossInitConfig):
    """Options of tasks that pre-train a whole model."""

    multilang_sampling_alpha: float = field(
        default=0.5,
        metadata={
            "help": "a language with the share p of the text is drawn in proportion to p ** alpha (paper: 0.5; 1: as "
            "it is)"
        },
    )


def check_sampling(cfg: PretrainingConfig) -> None:
    """Raises InputError where the sampling of languages is out of range."""
    if cfg.multilang_sampling_alpha < 0:
        raise InputError(f"--multilang-sampling-alpha is {cfg.multilang_sampling_alpha}; it must be 0 or more")


class PretrainingTask(CrossInitTask):
    """Validates each language by itself: the validation text is GroupedBatches named by language, and its loss is
    logged as ``loss_en``."""

    @staticmethod
    def folders_and_languages(cfg: CrossInitConfig) -> Tuple[List[str], List[str]]:
        """The data folders, and the languages that all of them have training text of. Raises InputError."""
        folders = data_folders(cfg.data)
        languages = check_languages(cfg.langs or ",".join(languages_of(folders[0])), folders, cfg.train_subset)
        if not languages:
            raise InputError(f"{folders[0]} has no language: no folder in it has a train.idx")
        return folders, languages

    def valid_step(
        self, sample: Dict[str, Any], model: BaseFairseqModel, criterion: FairseqCriterion
    ) -> Tuple[Any, int, Dict[str, Any]]:
        """fairseq's own, with the loss under the name of its language."""
        loss, sample_size, logs = super().valid_step(sample, model, criterion)
        for language in self.languages:
            own = 1 if sample["group"] == language else 0
            for key in ("loss", "sample_size"):  # all of them always: processes add their logs up
                logs[f"{key}_{language}"] = logs[key] * own
        return loss, sample_size, logs

    def validation_metrics(self, split: str) -> Optional[Set[str]]:
        """The criterion's, and the loss of each language."""
        logged = super().validation_metrics(split)
        return None if logged is None else logged.union(f"loss_{language}" for language in self.languages)

    def reduce_metrics(self, logging_outputs: Sequence[Dict[str, Any]], criterion: FairseqCriterion) -> None:
        """The criterion's, and the validation loss of each language, in bits."""
        if sum(log.get("sample_size", 0) for log in logging_outputs):
            super().reduce_metrics(logging_outputs, criterion)
        for language in self.languages:
            size = sum(log.get("sample_size_" + language, 0) for log in logging_outputs)
            if size:
                loss = sum(log.get("loss_" + language, 0) for log in logging_outputs)
                metrics.log_scalar("loss_" + language, loss / size / math.log(2), size, round=3)
