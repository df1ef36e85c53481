"""The criterion `crossinit`: fairseq's door to the objectives in crossinit_fairseq.alignment."""

from dataclasses import dataclass, field

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import ChoiceEnum, FairseqDataclass
from fairseq.logging import metrics

from crossinit_fairseq.alignment import OBJECTIVES, SpanPlan
from crossinit_fairseq.models.unwrap import unwrap

# logged name -> digits; sums over draws, and averages over batches
_PER_DRAW = {"loss": 4, "positive": 4, "negative": 4, "accuracy": 4}
_PER_TABLE = {"norm": 4, "cos_within": 4, "cos_across": 4, "directions": 2}


@dataclass
class CrossInitCriterionConfig(FairseqDataclass):
    """Options of `--criterion crossinit`."""

    objective: ChoiceEnum(list(OBJECTIVES)) = field(
        default="sigmoid",
        metadata={
            "help": "sigmoid: Eq. 1 of the paper; softmax: the authors' trial code, a softmax over the two dot products; infonce: the "
            "other spans of the batch are the Negatives (default: sigmoid)"
        },
    )
    temperature: float = field(
        default=1.0, metadata={"help": "dot products are divided by this; the paper has none (default: 1.0)"}
    )


@register_criterion("crossinit", dataclass=CrossInitCriterionConfig)
class CrossInitCriterion(FairseqCriterion):
    """An objective of Step 3, summed over draws. Holds no parameters: fairseq would save them with every later stage."""

    def __init__(self, task, objective, temperature):
        super().__init__(task)
        self.objective = OBJECTIVES[str(objective)]
        if temperature <= 0:
            raise SystemExit("crossinit_fairseq: error: --temperature must be above 0, not {}".format(temperature))
        self.temperature = temperature

    def forward(self, model, sample, reduce=True):
        """model: AlignmentModel; sample: {"net_input": the tensors of a SpanPlan, "nsentences": draws, ...}.

        Returns (loss summed over draws and averaged over token tables, number of draws, logging outputs).
        The loss is in nats: with Eq. 1 it is 2 ln 2 = 1.386 where both dot products are zero.
        """
        # only this objective looks across draws
        overlap = SpanPlan(**sample["net_input"]).overlap() if self.objective is OBJECTIVES["infonce"] else None
        contrasts = [self.objective(means, overlap, self.temperature) for means in model(**sample["net_input"])]
        draws = sample["nsentences"]
        loss = torch.stack([c.loss.sum() for c in contrasts]).mean()
        with torch.no_grad():
            logging = {
                "loss": loss.detach(),
                "positive": torch.stack([c.positive.sum() for c in contrasts]).mean(),
                "negative": torch.stack([c.negative.sum() for c in contrasts]).mean(),
                # of the two labels of each draw, the share that the sign of its dot product gets right
                "accuracy": torch.stack(
                    [((c.positive > 0).sum() + (c.negative < 0).sum()) / 2.0 for c in contrasts]
                ).mean(),
                "ntokens": sample["ntokens"],
                "nsentences": draws,
                "sample_size": draws,
                "batches": 1,
            }
            inner = unwrap(model)
            measures = torch.stack([torch.stack(inner.sample(table)) for table in inner.tables]).mean(0)
            logging.update(zip(_PER_TABLE, measures))
        return loss, draws, logging

    @staticmethod
    def reduce_metrics(logging_outputs):
        """Average over the draws of all processes."""
        draws = sum(log["sample_size"] for log in logging_outputs)
        batches = sum(log["batches"] for log in logging_outputs)
        for key, digits in _PER_DRAW.items():
            metrics.log_scalar(key, sum(log[key] for log in logging_outputs) / draws, draws, round=digits)
        for key, digits in _PER_TABLE.items():
            metrics.log_scalar(key, sum(log[key] for log in logging_outputs) / batches, batches, round=digits)

    @staticmethod
    def logging_outputs_can_be_summed():
        """True: everything logged is a sum."""
        return True
