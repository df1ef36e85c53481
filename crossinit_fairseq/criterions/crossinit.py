"""The criterion `crossinit`: makes the objectives in crossinit_fairseq.alignment known to fairseq."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Sequence, Set, Tuple

import torch
import torch.nn as nn
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.logging import metrics
from fairseq.tasks import FairseqTask

from crossinit_fairseq.alignment import OBJECTIVES, PairPlan, infonce_objective, pair_objective
from crossinit_fairseq.errors import InputError, one_sentence
from crossinit_fairseq.models.bare_model import unwrap

# logged name -> digits; sums over draws, and averages over batches
_PER_DRAW = {"positive": 4, "negative": 4, "accuracy": 4}
_PER_TABLE = {"norm": 4, "cos_within": 4, "cos_across": 4, "directions": 2}


@dataclass
class CrossInitCriterionConfig(FairseqDataclass):
    """Options of `--criterion crossinit`."""

    objective: ChoiceEnum(list(OBJECTIVES)) = field(
        default="sigmoid",
        metadata={
            "help": "of spans. sigmoid: Eq. 1 of the paper; softmax: the authors' trial code, a softmax over the two "
            "dot products; infonce: the other spans of the batch are the Negatives (default: sigmoid)"
        },
    )
    temperature: float = field(
        default=1.0, metadata={"help": "dot products of spans are divided by this; the paper has none (default: 1.0)"}
    )
    lexicon_temperature: float = field(
        default=0.1,
        metadata={"help": "with --lexicon: the cosines of words are divided by this (default: 0.1)"},
    )
    lexicon_weight: float = field(
        default=1.0,
        metadata={
            "help": "with --lexicon-beside-spans: weight of the pairs' mean loss beside that of the spans, which is 1 "
            "(default: 1.0)"
        },
    )


def _check_effect(task: Any, objective: str, temperature: float, pair_temperature: float, weight: float) -> None:
    """Raise InputError for a value that differs from the default and is of what the task does not draw."""
    spans, pairs = getattr(task, "with_spans", True), bool(getattr(task, "lexicons", True))
    default = CrossInitCriterionConfig()
    for option, differs, used, why in (
        ("--objective", objective != str(default.objective), spans, "with --lexicon alone, as it is of spans"),
        ("--temperature", temperature != default.temperature, spans, "with --lexicon alone, as it is of spans"),
        ("--lexicon-temperature", pair_temperature != default.lexicon_temperature, pairs, "without --lexicon"),
        ("--lexicon-weight", weight != default.lexicon_weight, spans and pairs, "without --lexicon-beside-spans"),
    ):
        if differs and not used:
            raise InputError(f"{option} has no effect {why}: leave it out")
    if objective == "infonce" and str(getattr(getattr(task, "cfg", None), "negatives", "all")) != "all":
        raise InputError(
            "--negatives has no effect with --objective infonce, whose Negatives are the other spans of the batch: "
            "leave it out"
        )


@register_criterion("crossinit", dataclass=CrossInitCriterionConfig)
class CrossInitCriterion(FairseqCriterion):
    """An objective of Step 3, summed over draws. It holds no parameters: every later stage would have to load them."""

    def __init__(
        self,
        task: FairseqTask,
        objective: str,
        temperature: float,
        lexicon_temperature: float = 0.1,
        lexicon_weight: float = 1.0,
    ):
        super().__init__(task)
        self.objective = OBJECTIVES[str(objective)]
        with one_sentence():
            for option, value in (
                ("--temperature", temperature),
                ("--lexicon-temperature", lexicon_temperature),
                ("--lexicon-weight", lexicon_weight),
            ):
                if value <= 0:
                    raise InputError(f"{option} must be above 0, not {value}")
            _check_effect(task, str(objective), temperature, lexicon_temperature, lexicon_weight)
        self.temperature, self.lexicon_temperature = temperature, lexicon_temperature
        self.lexicon_weight = lexicon_weight

    def forward(
        self, model: nn.Module, sample: Dict[str, Any], reduce: bool = True
    ) -> Tuple[torch.Tensor, int, Dict[str, Any]]:
        """model: AlignmentModel; sample: an item of DrawDataset, with plans of spans, of pairs, or of both.

        Returns (loss summed over the draws of the first kind and averaged over token tables, their number, logging
        outputs). The loss is in nats: with Eq. 1 it is 2 ln 2 = 1.386 where both dot products are zero. Beside spans
        the mean loss of the pairs, times its weight, is added to that of the spans. Ends the program with one sentence
        for a batch of one draw where the others of the batch are the Negatives.
        """
        with one_sentence():
            self._check_others(sample["draws"])
        # in half precision, as of --amp, sums of very many words are infinite, and the loss has two or three digits
        with torch.autocast(next(model.parameters()).device.type, enabled=False):
            return self._loss(model, sample)

    def _check_others(self, draws: Dict[str, int]) -> None:
        of_others = ["pairs"] + (["spans"] if self.objective is infonce_objective else [])
        if any(draws.get(kind, 2) < 2 for kind in of_others):
            raise InputError(
                "the other draws of a batch are the Negatives, and a batch has one draw alone: give --batch-size 2 or "
                "more, 256 if you do not know"
            )

    def _loss(self, model: nn.Module, sample: Dict[str, Any]) -> Tuple[torch.Tensor, int, Dict[str, Any]]:
        means = model(**sample["net_input"])
        draws = sample["nsentences"]
        losses, logging = [], {}
        if "spans" in sample["net_input"]:
            contrasts = [self.objective(one.spans, self.temperature) for one in means]
            losses.append(torch.stack([c.loss.sum() for c in contrasts]).mean())
            # of the two labels of each draw, the share that the sign of its dot product gets right
            right = [((c.positive > 0).sum() + (c.negative < 0).sum()) / 2.0 for c in contrasts]
            logging.update(_sums("", contrasts, right))
        if "pairs" in sample["net_input"]:
            beside = bool(losses)
            related = PairPlan(**sample["net_input"]["pairs"]).related
            contrasts = [pair_objective(one.pairs, related, self.lexicon_temperature) for one in means]
            loss = torch.stack([c.loss.sum() for c in contrasts]).mean()
            pairs = sample["draws"]["pairs"]
            logging.update(_sums("pair_" if beside else "", contrasts, [c.correct.sum() for c in contrasts]))
            if beside:
                logging.update({"pair_loss": loss.detach(), "pairs": pairs})
            losses.append(loss * self.lexicon_weight * (draws / pairs) if beside else loss)
        loss = sum(losses)
        with torch.no_grad():
            logging.update(
                {
                    "loss": loss.detach(),
                    "ntokens": sample["ntokens"],
                    "nsentences": draws,
                    "sample_size": draws,
                    "batches": 1,
                }
            )
            inner = unwrap(model)
            measures = torch.stack([torch.stack(inner.random_words(table)) for table in inner.tables]).mean(0)
            logging.update(zip(_PER_TABLE, measures))
        return loss, draws, logging

    @staticmethod
    def reduce_metrics(logging_outputs: List[Dict[str, Any]]) -> None:
        """Average over the draws of all processes."""
        total = {key: sum(log[key] for log in logging_outputs) for key in logging_outputs[0]}
        _log_averages(total, total["sample_size"], {"loss": 4, **_PER_DRAW})
        if "pairs" in total:
            _log_averages(total, total["pairs"], {"pair_" + key: 4 for key in ("loss", *_PER_DRAW)})
        _log_averages(total, total["batches"], _PER_TABLE)

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        """True: everything logged is a sum."""
        return True


@torch.no_grad()
def _sums(prefix: str, contrasts: Sequence[Any], right: Sequence[torch.Tensor]) -> Dict[str, torch.Tensor]:
    """{name: float scalar}, summed over draws and averaged over tables.

    contrasts: the Contrast or PairContrast of each table; right: for each table the number of correct ones.
    """
    return {
        prefix + "positive": torch.stack([c.positive.sum() for c in contrasts]).mean(),
        prefix + "negative": torch.stack([c.negative.sum() for c in contrasts]).mean(),
        prefix + "accuracy": torch.stack(right).mean(),
    }


def logged_names(spans: bool, pairs: bool) -> Set[str]:
    """What the criterion logs of draws of these kinds, besides what fairseq does."""
    beside = {"pair_" + key for key in ("loss", *_PER_DRAW)} if spans and pairs else set()
    return {"loss", *_PER_DRAW, *_PER_TABLE} | beside


def _log_averages(total: Dict[str, Any], count: Any, digits: Dict[str, int]) -> None:
    for key, rounded in digits.items():
        metrics.log_scalar(key, total[key] / count, count, round=rounded)
