"""The metric of --best-checkpoint-metric: fairseq finds out at the first validation that nobody logs it, with nothing
saved, and never that it keeps the worst checkpoint as the best. Needs no fairseq.
"""

from typing import Any, Collection, Optional, Set

from crossinit_fairseq.errors import Refusal

_LESS_IS_BETTER = ("loss", "ppl")
_MORE_IS_BETTER = ("bleu", "round_trip", "accuracy", "f1", "em")
# of every task, in validation
SPEED = {"wps", "wpb", "bsz", "num_updates"}


def which_way(metric: str, maximize: bool) -> Optional[Refusal]:
    """What is wrong with --maximize-best-checkpoint-metric, given or not, for a metric, and what to do; None if nothing
    is.

    Nothing is said of metrics of which not all know which way is better.
    """
    kinds = {metric.rpartition("_")[2], metric.partition("_")[0], metric.rpartition("_")[0]}
    if metric.startswith("round_trip_"):
        kinds = {"round_trip"}
    if maximize and kinds.intersection(_LESS_IS_BETTER):
        return Refusal(
            f"the checkpoint of the highest {metric} is kept as the best, and the lower the better",
            "leave --maximize-best-checkpoint-metric out",
        )
    if not maximize and kinds.intersection(_MORE_IS_BETTER):
        return Refusal(
            f"the checkpoint of the lowest {metric} is kept as the best, and the higher the better",
            "add --maximize-best-checkpoint-metric",
        )
    return None


def logged_by_criterion(criterion: Any) -> Optional[Set[str]]:
    """The names that a criterion of fairseq logs in validation; None for one that is not known here.

    criterion: its options, as fairseq has them.
    """
    name = getattr(criterion, "_name", None)
    if name == "cross_entropy":  # else there are as many tokens as the loss is divided by
        return {"loss", "ppl"} | ({"nll_loss"} if getattr(criterion, "sentence_avg", False) else set())
    if name == "label_smoothed_cross_entropy":
        more = {"accuracy", "total", "n_correct"} if getattr(criterion, "report_accuracy", False) else set()
        return {"loss", "nll_loss", "ppl"} | more
    if name == "masked_lm":
        return {"loss", "ppl"}
    if name == "span_prediction":
        return {"loss", "accuracy"}
    if name == "sentence_prediction":
        scores = ("report_mcc", "report_acc_and_f1", "report_pearson_and_spearman")
        if not any(getattr(criterion, score, False) for score in scores):
            return {"loss", "nll_loss", "accuracy"}
    return None


def sentence_of_missing(metric: str, logged: Collection[str]) -> str:
    """What to say of a metric that validation does not log. logged: what it does."""
    why = ", as there is no aligned text to validate on" if metric == "bleu" and "round_trip_bleu" in logged else ""
    shown = sorted(set(logged) - SPEED, key=lambda name: (name != "loss", name))
    return (
        f"--best-checkpoint-metric {metric}: validation does not log it{why}; give one of what it logs: "
        f"{', '.join(shown)}"
    )
