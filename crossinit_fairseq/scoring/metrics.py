"""The scores of a target language: sacreBLEU's own, and those that papers report beside them."""

from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Sequence, Tuple

from sacrebleu.metrics import BLEU, CHRF

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language, comma_below, is_known
from crossinit_fairseq.scoring.normalisation import INDIC_LANGUAGES, LineStep, indic_steps, moses_steps


@dataclass(frozen=True)
class Metric:
    """One score.

    key: its name in JSON; title: its name in a table; scorer: gives a new metric of sacreBLEU; steps: gives a function
    that prepares each line of hypotheses and reference, and what the signature says of it (None: sacreBLEU alone).
    """

    key: str
    title: str
    scorer: Callable[[], Any]
    steps: Optional[Callable[[], LineStep]] = None

    def prepare(self) -> Tuple[Callable[[List[str]], List[str]], str]:
        """(a function of lists of str, the end of the signature). Raises MissingExtra."""
        if self.steps is None:
            return list, ""
        step, said = self.steps()
        # sacreBLEU's keys have no dot: what is ours cannot be taken for its own
        return lambda lines: [step(line) for line in lines], "|" + said


def metrics_for(target: str, keys: Optional[Sequence[str]] = None) -> List[Metric]:
    """The metrics for a target language, all or those of the keys, in a fixed order.

    13a BLEU and chrF2 always, with sacreBLEU's defaults; for Romanian also BLEU after comma_below, and without
    diacritics over Moses tokens; for INDIC_LANGUAGES BLEU over the tokens of the Indic NLP library. The last two as
    multi-bleu counts: no tokeniser, no smoothing. Raises InputError for no language, and for a key
    that the language does not have.
    """
    base = base_language(target)
    if not is_known(target):
        raise InputError(f"{target!r} is no language code: give one such as en, ro, ne or ro_RO")
    metrics = [Metric("bleu", "BLEU", _bleu_13a), Metric("chrf", "chrF2", CHRF)]
    if base == "ro":
        metrics.append(Metric("bleu_ro_normalised", "BLEU, ro normalised", _bleu_13a, _comma_below))
        metrics.append(Metric("bleu_ro_no_diacritics", "BLEU, ro no diacritics", _bleu_of_tokens, _no_diacritics))
    if base in INDIC_LANGUAGES:
        metrics.append(Metric("bleu_flores", "BLEU, Indic tokens", _bleu_of_tokens, lambda: _indic_tokens(base)))
    if keys is None:
        return metrics
    by_key = {metric.key: metric for metric in metrics}
    for key in keys:
        if key not in by_key:
            raise InputError(f"there is no metric {key} for {target}: there are {', '.join(by_key)}")
    return [metric for metric in metrics if metric.key in keys]


def _bleu_13a() -> BLEU:
    return BLEU(tokenize="13a")


def _bleu_of_tokens() -> BLEU:
    return BLEU(tokenize="none", smooth_method="none", force=True)


def _comma_below() -> LineStep:
    return comma_below, "crossinit.norm:ro-comma-below"


def _no_diacritics() -> LineStep:
    step, library = moses_steps()
    return (
        step,
        "crossinit.norm:ro-moses-punctuation+comma-below+no-diacritics|crossinit.tok:moses-ro|crossinit." + library,
    )


def _indic_tokens(language: str) -> LineStep:
    step, library = indic_steps(language)
    return step, f"crossinit.norm:indic-{language}|crossinit.tok:indic-{language}|crossinit.{library}"
