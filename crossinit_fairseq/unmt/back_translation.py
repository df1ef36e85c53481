"""On-the-fly back-translation: sentences, translated by the model as it is, become sources to translate back from."""

import logging
import time
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from fairseq.logging import metrics
from fairseq.models import FairseqEncoderDecoderModel
from torch import Tensor, distributed

from crossinit_fairseq.data.special_tokens import SpecialTokens
from crossinit_fairseq.generation.pooled_requests import PooledRequests, tokens_at_once
from crossinit_fairseq.generation.search import Search, TranslationRequest
from crossinit_fairseq.unmt.ahead import Written
from crossinit_fairseq.unmt.copy_monitor import FIELDS, CopyMonitor, count_copies
from crossinit_fairseq.unmt.lexicon import WordByWordSources

logger = logging.getLogger(__name__)

_COUNTS = ("batches", "sentences", "empty", "empty_batches", "seconds") + FIELDS

Direction = Tuple[str, str]  # source and target language


class BackTranslation:
    """Makes the training samples of back-translation, and keeps an eye on what the model writes. For the first updates
    a lexicon may write in its place.

    text_tokens: bool [V], tokens that are no special tokens; vocabularies: {language: bool [V]}, the tokens of each
    language; max_len: longest output, in tokens without ``</s>``; word_by_word: WordByWordSources, or None.
    """

    def __init__(
        self,
        search: Search,
        special_tokens: SpecialTokens,
        text_tokens: Tensor,
        vocabularies: Mapping[str, Tensor],
        max_len: int,
        word_by_word: Optional[WordByWordSources] = None,
    ):
        self.search, self.special_tokens = search, special_tokens
        self.text_tokens, self.vocabularies, self.max_len = text_tokens, vocabularies, max_len
        self.word_by_word = word_by_word
        self.monitor = CopyMonitor()
        self.empty = self.empty_batches = 0

    def request(
        self, batch: Dict[str, Any], language: str, restricted: bool, seed: Sequence[int]
    ) -> TranslationRequest:
        """What to ask of the search.

        batch: as MonolingualUpdates makes it; language: to translate into; restricted: whether only tokens of that
        language may be written; seed: integers >= 0, for what is drawn.
        """
        source = self.special_tokens.add_to_batch(batch["clean"], batch["language"])
        allowed = self.vocabularies[language].to(source.device) if restricted else None
        return TranslationRequest(source, language, allowed, seed)

    def samples(
        self,
        model: FairseqEncoderDecoderModel,
        batches: Sequence[Dict[str, Any]],
        requests: Sequence[TranslationRequest],
        update: int = 0,
    ) -> List[Tuple[Optional[Dict[str, Any]], Dict[str, float]]]:
        """Translate batches, all together, and make a `sample` of each.

        model: in eval mode; requests: `request` of each batch; update: its number, for the lexicon's share in it.
        """
        begin = time.perf_counter()
        translations: Dict[int, Tensor] = {}
        for place, (batch, request) in enumerate(zip(batches, requests)):
            if self.by_words(batch["language"], request.language, update):
                translations[place] = self.word_by_word(
                    batch["clean"], batch["language"], request.language, request.seed
                )
        by_model = [place for place in range(len(requests)) if place not in translations]
        written = self.search(model, [requests[place] for place in by_model], self.max_len)
        translations.update(zip(by_model, written))
        timed = _share_time([translations[place] for place in range(len(requests))], begin)
        return [self.sample(*each) for each in zip(batches, requests, timed)]

    def ahead(self, model: FairseqEncoderDecoderModel, requests: Sequence[TranslationRequest]) -> List[Written]:
        """Translate batches of updates to come, sorted anew by length so that they fill the device.

        model: in eval mode; requests: `request` of each batch.
        """
        if not requests:
            return []
        begin, source = time.perf_counter(), requests[0].source
        pool = PooledRequests(requests, self.special_tokens.pad, tokens_at_once(source.device))
        written = [self.search(model, [request for request, _ in portion], self.max_len) for portion in pool.portions]
        return _share_time(pool.unpool(written), begin)

    def by_words(self, source: str, target: str, update: int) -> bool:
        """Whether the lexicon translates this direction in an update, rather than the model."""
        return self.word_by_word is not None and self.word_by_word.writes(source, target, update)

    def sample(
        self, batch: Dict[str, Any], request: TranslationRequest, written: Written
    ) -> Tuple[Optional[Dict[str, Any]], Dict[str, float]]:
        """A training sample back into the batch's language, and counts of what was written.

        The sample is None when no translation has a word; single sentences whose translation is empty are left out:
        from nothing, the model would learn to make up sentences.
        """
        translation, seconds = written
        special_tokens, clean = self.special_tokens, request.source
        text_tokens, vocabulary = (
            tokens.to(clean.device) for tokens in (self.text_tokens, self.vocabularies[request.language])
        )
        counts: Dict[str, float] = count_copies(clean, translation, text_tokens, vocabulary)
        kept = text_tokens[translation].any(1)
        empty = int((~kept).sum())
        counts.update(
            batches=1,
            sentences=len(translation),
            empty=empty,
            empty_batches=int(empty == len(translation)),
            seconds=seconds,
        )
        if counts["empty_batches"]:
            return None, counts
        translation, clean = (_rows(tokens, kept, special_tokens.pad) for tokens in (translation, clean))
        source = special_tokens.add_to_batch(translation, request.language)
        sample = special_tokens.training_sample(source, clean, batch["language"])
        sample["id"] = batch["denoise"]["id"].to(kept.device)[kept]
        return sample, counts

    def log(self, directions: Sequence[Direction], logging_outputs: Sequence[Dict[str, Any]], update: int) -> None:
        """Show what was generated in fairseq's meters; warn of copies, of the wrong language and of empty translations.

        directions: all that is generated in; logging_outputs: with what `flatten_counts` gave.
        """
        totals = dict.fromkeys(_COUNTS, 0.0)
        for direction in directions:
            counts = {
                field: float(sum(log.get(_key(direction, field), 0) for log in logging_outputs)) for field in _COUNTS
            }
            totals = {field: totals[field] + counts[field] for field in _COUNTS}
            # what a lexicon writes says nothing about the model
            if counts["batches"] and not self.by_words(*direction, update):
                _warn(self.monitor.add("-".join(direction), counts, int(counts["batches"])), update)
        if totals["written"]:
            for field in ("copied", "in_target"):
                metrics.log_scalar("bt_" + field, totals[field] / totals["written"], totals["written"], round=3)
        if totals["sentences"]:
            metrics.log_scalar("bt_empty", totals["empty"] / totals["sentences"], totals["sentences"], round=3)
            # of all processes together, as fairseq's own wps
            seconds = totals["seconds"] / (distributed.get_world_size() if distributed.is_initialized() else 1)
            metrics.log_scalar("gen_wps", totals["written"] / max(seconds, 1e-9), seconds, round=0)
        self._report_empty(int(totals["empty"]), int(totals["empty_batches"]), update)

    def _report_empty(self, empty: int, batches: int, update: int) -> None:
        """Say how many translations were left out: at the first, and whenever their number has one more digit."""
        before = self.empty
        self.empty, self.empty_batches = self.empty + empty, self.empty_batches + batches
        if len(str(self.empty)) > len(str(before)) or (empty and not before):
            _warn(
                f"{self.empty:,} sentences whose translation was empty have been left out of back-translation so far, "
                f"{self.empty_batches:,} batches of them as a whole",
                update,
            )


def flatten_counts(
    directions: Sequence[Direction], counts: Mapping[Direction, Mapping[str, float]]
) -> Dict[str, float]:
    """Counts by direction as one flat dict of numbers, of the same keys always: fairseq sums it over all processes.

    counts: {direction: counts} for some of the directions.
    """
    return {
        _key(direction, field): float(counts.get(direction, {}).get(field, 0))
        for direction in directions
        for field in _COUNTS
    }


def _key(direction: Direction, field: str) -> str:
    return f"_bt_{'-'.join(direction)}/{field}"


def _share_time(translations: List[Tensor], begin: float) -> List[Written]:
    """Each with its share of the seconds since `begin`; generation waits for the device every few steps."""
    seconds = time.perf_counter() - begin
    tokens = max(sum(translation.numel() for translation in translations), 1)
    return [Written(translation, seconds * translation.numel() / tokens) for translation in translations]


def _rows(tokens: Tensor, kept: Tensor, pad: int) -> Tensor:
    """The kept rows, without columns that are padding in all of them."""
    tokens = tokens[kept]
    # fairseq's criterions view a target as one row, which they cannot where columns were left out
    return tokens[:, : int(tokens.ne(pad).sum(1).max())].contiguous()


def _warn(text: Optional[str], update: int) -> None:
    """Log a warning, in one process of all."""
    if text and not (distributed.is_initialized() and distributed.get_rank()):
        logger.warning(f"update {update:,}: {text}")
