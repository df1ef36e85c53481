"""What a validation batch is measured by: BLEU, or BLEU of a round trip; copying; some translations to read."""

import logging
from functools import lru_cache
from typing import Any, Callable, Collection, Dict, List, Mapping, Sequence, Set, Tuple

import numpy as np
from fairseq.data import Dictionary
from fairseq.logging import metrics
from sacrebleu.metrics import BLEU
from torch import Tensor

from crossinit_fairseq.data.dictionary import SPECIAL, UNK
from crossinit_fairseq.data.special_tokens import SpecialTokens
from crossinit_fairseq.errors import printable
from crossinit_fairseq.generation.search import TranslationRequest
from crossinit_fairseq.ranks.sentencepiece_model import decode_bytes
from crossinit_fairseq.scoring.metrics import missing_mecab, tokenizer_for
from crossinit_fairseq.unmt.copy_monitor import count_copies

logger = logging.getLogger(__name__)

_SHARES = ("copied", "in_target")
_COUNTS = ("written",) + _SHARES
_MEANS = {"bleu": "bleu", "round_trip": "round_trip_bleu"}  # kind of a score: the mean over its directions
_ORDER = 4  # of BLEU's n-grams
_STATISTICS = tuple(f"{kind}{n}" for kind in ("counts", "totals") for n in range(_ORDER)) + ("sys", "ref")
# nobody knows whether what is unknown in a translation is what is unknown in its reference; characters that no
# tokeniser cuts, where 13a makes three words of `<unk>`
_UNKNOWN_HYPOTHESIS, _UNKNOWN_REFERENCE = "\ufffc", "\ufffd"
_POST_PROCESS = {"sentencepiece": "sentencepiece", "subword_nmt": "subword_nmt", "none": None}

Score = Tuple[str, str, str]  # "bleu" or "round_trip", source, target


class Validation:
    """Translates validation batches and scores them. A score is (kind, source, target) with kind "bleu" (an aligned
    text) or "round_trip" (a monolingual text of `source`, by way of `target`).

    sizes: {score: number of its sentences}; translate: function (model, TranslationRequest) -> int64 [B, T], rows of
    ``x </s>``; plain_text: function int64 [B, T] -> list of str; text_tokens: bool [V], no special tokens;
    vocabularies: {language: bool [V]}, its tokens; restrict: whether the first way of a round trip may only use tokens
    of its language; samples: how many translations of each score to log.
    """

    def __init__(
        self,
        sizes: Mapping[Score, int],
        translate: Callable[[Any, TranslationRequest], Tensor],
        special_tokens: SpecialTokens,
        plain_text: Callable[[Tensor], List[str]],
        text_tokens: Tensor,
        vocabularies: Mapping[str, Tensor],
        restrict: bool,
        samples: int,
    ):
        self.scores, self.sizes = list(sizes), sizes
        self.translate, self.special_tokens, self.plain_text = translate, special_tokens, plain_text
        self.text_tokens, self.vocabularies = text_tokens, vocabularies
        self.restrict, self.samples = restrict, samples
        for language in sorted({target if kind == "bleu" else source for kind, source, target in sizes}):
            if tokenizer_for(language) != "13a":
                words = f"BLEU of {language} is counted by sacreBLEU's tokeniser {tokenizer_for(language)}"
                install = missing_mecab(language)
                logger.info(words + (f", for want of MeCab ({install})" if install else ""))

    def has_aligned_text(self) -> bool:
        """Whether any score is of an aligned text."""
        return any(score[0] == "bleu" for score in self.scores)

    def statistics(self, model: Any, sample: Dict[str, Any]) -> Dict[str, int]:
        """Translate a batch of GroupedBatches, whose group is a score. Returns {name: int}, with the names of all
        scores in a fixed order.

        A copy survives the round trip best of all: what a model that copies gets back is its source. So the first way
        may only use tokens of the other language (data/vocabularies.py), unless `restrict` is off.
        """
        score = kind, source, target = sample["group"]
        found: Dict[str, int] = {}
        for each in self.scores:
            found.update(no_statistics(_name(each)))
            found.update({_key(each, field): 0 for field in _COUNTS})
        sources, references = sample["net_input"]["src_tokens"], self.plain_text(sample["target"])
        if kind == "bleu":
            translations = self.translate(model, TranslationRequest(sources, target))
            hypotheses = self.plain_text(translations)
        else:
            sources = sample["target"]  # the clean sentences; the noisy ones are for the loss
            allowed = self.vocabularies[target].to(sources.device) if self.restrict else None
            translations = self.translate(model, TranslationRequest(sources, target, allowed))
            way_back = self.special_tokens.add_to_batch(translations, target)
            hypotheses = self.plain_text(self.translate(model, TranslationRequest(way_back, source)))
        # a round trip ends in the language that it began in
        written_in = target if kind == "bleu" else source
        found.update(bleu_statistics(_name(score), hypotheses, references, tokenizer_for(written_in)))
        device = translations.device
        counts = count_copies(sources, translations, self.text_tokens.to(device), self.vocabularies[target].to(device))
        found.update({_key(score, field): counts[field] for field in _COUNTS})
        self._show(score, sample["id"].tolist(), sources, translations, hypotheses, references)
        return found

    def _show(
        self,
        score: Score,
        numbers: List[int],
        sources: Tensor,
        translations: Tensor,
        hypotheses: List[str],
        references: List[str],
    ) -> None:
        """Log the translations of a few sentences, the same ones at every validation."""
        shown = evenly_spread(self.sizes[score], self.samples)
        rows = [row for row, number in enumerate(numbers) if number in shown]
        if not rows:
            return
        source_texts, way = self.plain_text(sources[rows]), self.plain_text(translations[rows])
        for place, row in enumerate(rows):
            if score[0] == "bleu":
                parts = [("source", source_texts[place]), ("output", hypotheses[row]), ("reference", references[row])]
            else:
                parts = [("source", source_texts[place]), (score[2], way[place]), ("back", hypotheses[row])]
            logger.info(f"{_name(score)} | " + " | ".join(f"{name}: {printable(text)}" for name, text in parts))

    def log(self, logging_outputs: Sequence[Dict[str, Any]]) -> None:
        """Show the scores and their means in fairseq's meters."""
        for kind, mean in _MEANS.items():
            log_bleu([_name(score) for score in self.scores if score[0] == kind], mean, logging_outputs)
        for score in self.scores:
            sums = {field: sum(log.get(_key(score, field), 0) for log in logging_outputs) for field in _COUNTS}
            # under a restricted vocabulary, what is copied and in whose vocabulary says nothing
            if sums["written"] and (score[0] == "bleu" or not self.restrict):
                for field in _SHARES:
                    share = float(sums[field] / sums["written"])
                    metrics.log_scalar(_share_name(score, field), share, float(sums["written"]), round=3)


def names_of(groups: Sequence[Tuple[Score, Sequence[Any]]], restrict: bool) -> Set[str]:
    """The names under which Validation logs scores and their means. groups: (score, its sentences); restrict: as
    Validation has it."""
    scores = [score for score, sentences in groups if len(sentences)]
    shares = {_share_name(score, field) for score in scores if score[0] == "bleu" or not restrict for field in _SHARES}
    return {_name(score) for score in scores} | {_MEANS[score[0]] for score in scores} | shares


def evenly_spread(size: int, count: int) -> Set[int]:
    """`count` numbers below `size`, evenly spread; fewer where there are not so many."""
    return {int((2 * k + 1) * size // (2 * count)) for k in range(count)} if size else set()


def _name(score: Score) -> str:
    kind, source, target = score
    return f"{kind}_{source}-{target}"


def _share_name(score: Score, field: str) -> str:
    first_way = "forward_" if score[0] == "round_trip" else ""
    return f"{field}_{first_way}{score[1]}-{score[2]}"


def _key(score: Score, field: str) -> str:
    return f"_{_name(score)}/{field}"


# Corpus BLEU from parts: statistics that are summed over batches and processes, then scored by sacreBLEU.


def no_statistics(name: str) -> Dict[str, int]:
    """Zero statistics of a score: every process must log the same keys, whatever its batch was of."""
    return {f"_{name}/{field}": 0 for field in _STATISTICS}


def bleu_statistics(name: str, hypotheses: List[str], references: List[str], tokenizer: str = "13a") -> Dict[str, int]:
    """Statistics of sentences, {"_name/field": int}. tokenizer: of sacreBLEU, see `scoring.metrics.tokenizer_for`.

    An unknown word, ``<unk>``, is never right.
    """
    hypotheses = [line.replace(SPECIAL[UNK], _UNKNOWN_HYPOTHESIS) for line in hypotheses]
    references = [line.replace(SPECIAL[UNK], _UNKNOWN_REFERENCE) for line in references]
    score = _scorer(tokenizer).corpus_score(hypotheses, [references])
    values = list(score.counts) + list(score.totals) + [score.sys_len, score.ref_len]
    return {f"_{name}/{field}": value for field, value in zip(_STATISTICS, values)}


@lru_cache(maxsize=None)
def _scorer(tokenizer: str) -> BLEU:
    return BLEU(tokenize=tokenizer)


def log_bleu(names: Sequence[str], mean_name: str, logging_outputs: Sequence[Dict[str, Any]]) -> None:
    """Add a batch's statistics to fairseq's meters; they show `name` for each score and their mean.

    names: scores of which the mean is `mean_name`; logging_outputs: of all processes.
    """
    for name in names:
        sums = np.array([int(sum(log.get(f"_{name}/{f}", 0) for log in logging_outputs)) for f in _STATISTICS])
        if sums[-1]:  # no reference word: no sentence of this direction in the batch
            metrics.log_scalar("_" + name, sums)
            metrics.log_derived(name, lambda meters, name=name: round(_bleu(meters, name), 2))
            metrics.log_derived(mean_name, lambda meters: _mean(meters, names))


def _bleu(meters: Mapping[str, Any], name: str) -> float:
    sums = [int(n) for n in meters["_" + name].sum]
    score = BLEU.compute_bleu(
        correct=sums[:_ORDER],
        total=sums[_ORDER : 2 * _ORDER],
        sys_len=sums[-2],
        ref_len=sums[-1],
        smooth_method="exp",
    )
    return score.score


def _mean(meters: Mapping[str, Any], names: Sequence[str]) -> float:
    return round(float(np.mean([_bleu(meters, name) for name in names if "_" + name in meters])), 2)


class PlainText:
    """Writes sentences of sub-tokens as plain text, for scores and for people to read.

    style: of the sub-tokens, one of ranks.BPE_STYLES but auto; ignore: rows of the tokens that are no text, besides
    fairseq's own.
    """

    def __init__(self, dictionary: Dictionary, style: str, ignore: Collection[int]):
        self.dictionary, self.post_process, self.ignore = dictionary, _POST_PROCESS[style], ignore

    def __call__(self, tokens: Tensor) -> List[str]:
        """int64 [B, T] tokens as B sentences."""
        lines = [
            self.dictionary.string(row, self.post_process, extra_symbols_to_ignore=self.ignore) for row in tokens.cpu()
        ]
        return [decode_bytes(line) for line in lines] if self.post_process == "sentencepiece" else lines
