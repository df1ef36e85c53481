"""The criterion `span_prediction`: the first and the last token of an answer."""

import math
from typing import Any, Dict, Sequence, Tuple

import torch
from fairseq.criterions import FairseqCriterion, register_criterion
from fairseq.dataclass import FairseqDataclass
from fairseq.logging import metrics
from fairseq.models import BaseFairseqModel


def span_log_probabilities(scores: torch.Tensor, second: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
    """Log probabilities of each token to be the first one of the answer, and the last one.

    scores: float [B, T, 2]; second, length: int64 [B], where the paragraph begins in each input, and its tokens there.
    Only those tokens, and the first token of the input, which stands for "not in this window", have a chance.
    Returns float32 [B, T, 2]: -inf for all other tokens.
    """
    place = torch.arange(scores.size(1), device=scores.device).unsqueeze(0)
    begin = second.unsqueeze(1)
    allowed = (place == 0) | ((place >= begin) & (place < begin + length.unsqueeze(1)))
    return scores.float().masked_fill(~allowed.unsqueeze(2), -math.inf).log_softmax(1)


@register_criterion("span_prediction", dataclass=FairseqDataclass)
class SpanPredictionCriterion(FairseqCriterion):
    """Cross-entropy of the first and of the last token, the mean of both (Devlin et al., 2019, section 4.2)."""

    def forward(
        self, model: BaseFairseqModel, sample: Dict[str, Any], reduce: bool = True
    ) -> Tuple[torch.Tensor, int, Dict[str, Any]]:
        """sample["target"]: int64 [B, 4]: first and last token of the answer, begin and length of the paragraph.

        Returns (the sum over windows, their number, what to log).
        """
        scores, _ = model(**sample["net_input"])
        first, last, second, length = sample["target"].unbind(1)
        logs = span_log_probabilities(scores, second, length)
        rows = torch.arange(len(first), device=first.device)
        loss = -(logs[rows, first, 0] + logs[rows, last, 1]).sum() / 2
        found = logs.argmax(1)
        return (
            loss,
            len(first),
            {
                "loss": loss.data,
                "ntokens": sample["ntokens"],
                "nsentences": len(first),
                "sample_size": len(first),
                "ncorrect": ((found[:, 0] == first) & (found[:, 1] == last)).sum(),
            },
        )

    @staticmethod
    def reduce_metrics(logging_outputs: Sequence[Dict[str, Any]]) -> None:
        """loss, in bits; accuracy: windows of which both tokens were right, in percent."""
        total = {key: sum(log.get(key, 0) for log in logging_outputs) for key in ("loss", "nsentences", "ncorrect")}
        count = total["nsentences"]
        metrics.log_scalar("loss", total["loss"] / count / math.log(2), count, round=3)
        metrics.log_scalar("accuracy", 100.0 * total["ncorrect"] / count, count, round=2)

    @staticmethod
    def logging_outputs_can_be_summed() -> bool:
        """Yes: numbers alone."""
        return True
