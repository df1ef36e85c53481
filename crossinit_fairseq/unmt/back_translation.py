"""On-the-fly back-translation: sentences, translated by the model as it is, become sources to translate back from."""

import logging
import time

from fairseq.logging import metrics
from torch import distributed

from crossinit_fairseq.translation.copying import FIELDS, CopyWatch, copying_counts

logger = logging.getLogger(__name__)

_COUNTS = ("batches", "sentences", "empty", "empty_batches", "seconds") + FIELDS


class BackTranslation:
    """Makes the training samples of back-translation, and keeps an eye on what the model writes. For the first updates a
    lexicon may write in its place.

    generation: Generation; convention: Convention; words: bool [V], tokens that are no special symbols; target: {language:
    bool [V]}, the tokens of each language; max_len: longest output, in tokens with ``</s>``; word_by_word:
    WordByWordSources, or None.
    """

    def __init__(self, generation, convention, words, target, max_len, word_by_word=None):
        self.generation, self.convention = generation, convention
        self.words, self.target, self.max_len = words, target, max_len
        self.word_by_word = word_by_word
        self.watch = CopyWatch()
        self.empty = self.empty_batches = 0

    def samples(self, model, requests, update=0):
        """Translate batches, all together. Returns for each (training sample back into the batch's language, counts).

        A sample is None when no translation has a word; single sentences whose translation is empty are left out:
        from nothing, the model would learn to make up sentences.

        model: in eval mode; requests: for each batch (batch, other, restrict, seed): as MonolingualUpdates makes it; the
        language to translate into; whether only tokens of `other` may be generated; sequence of ints, for what is drawn;
        update: its number, for the lexicon's share in it.
        """
        convention, made, batches = self.convention, {}, {}
        dressed = [convention.dress_generated(batch["clean"], batch["language"]) for batch, _, _, _ in requests]
        begin = time.perf_counter()
        for place, (clean, (batch, other, restrict, seed)) in enumerate(zip(dressed, requests)):
            if self._by_words(batch["language"], other, update):
                made[place] = self.word_by_word(batch["clean"], batch["language"], other, seed)
            else:
                batches[place] = (clean, other, self.target[other].to(clean.device) if restrict else None, seed)
        if batches:
            made.update(
                zip(batches, self.generation.together(model, list(batches.values()), convention, self.max_len))
            )
        seconds = time.perf_counter() - begin  # generation waits for the device every few steps
        written = max(sum(of_batch.numel() for of_batch in made.values()), 1)
        return [
            self._sample(batch, clean, made[place], other, seconds * made[place].numel() / written)
            for place, (clean, (batch, other, _, _)) in enumerate(zip(dressed, requests))
        ]

    def _by_words(self, source, target, update):
        return self.word_by_word is not None and self.word_by_word.writes(source, target, update)

    def _sample(self, batch, clean, made, other, seconds):
        convention, language = self.convention, batch["language"]
        words, target = self.words.to(clean.device), self.target[other].to(clean.device)
        counts = copying_counts(clean, made, words, target)
        kept = words[made].any(1)
        empty = int((~kept).sum())
        counts.update(
            batches=1, sentences=len(made), empty=empty, empty_batches=int(empty == len(made)), seconds=seconds
        )
        if counts["empty_batches"]:
            return None, counts
        made, clean = _rows(made, kept, convention.pad), _rows(clean, kept, convention.pad)
        sample = convention.sample(convention.dress_generated(made, other), clean, language)
        sample["id"] = batch["denoise"]["id"].to(kept.device)[kept]
        return sample, counts

    def log(self, directions, logging_outputs, update):
        """Show what was generated in fairseq's meters; warn of copies, of the wrong language and of empty translations.

        directions: all (source, target) pairs; logging_outputs: with what `flat` made of the counts.
        """
        totals = dict.fromkeys(_COUNTS, 0.0)
        for direction in directions:
            counts = {
                field: float(sum(log.get(_key(direction, field), 0) for log in logging_outputs)) for field in _COUNTS
            }
            totals = {field: totals[field] + counts[field] for field in _COUNTS}
            # what a lexicon writes says nothing about the model
            if counts["batches"] and not self._by_words(*direction, update):
                _warn(self.watch.add("{}-{}".format(*direction), counts, counts["batches"]), update)
        if totals["written"]:
            for field in ("copied", "in_target"):
                metrics.log_scalar("bt_" + field, totals[field] / totals["written"], totals["written"], round=3)
        if totals["sentences"]:
            metrics.log_scalar("bt_empty", totals["empty"] / totals["sentences"], totals["sentences"], round=3)
            # of all processes together, as fairseq's own wps
            seconds = totals["seconds"] / (distributed.get_world_size() if distributed.is_initialized() else 1)
            metrics.log_scalar("gen_wps", totals["written"] / max(seconds, 1e-9), seconds, round=0)
        self._report_empty(int(totals["empty"]), int(totals["empty_batches"]), update)

    def _report_empty(self, empty, batches, update):
        """Say how many translations were left out, at the first and whenever they are ten times as many as at the last."""
        before = self.empty
        self.empty, self.empty_batches = self.empty + empty, self.empty_batches + batches
        if len(str(self.empty)) > len(str(before)) or (empty and not before):
            _warn(
                "{:,} sentences whose translation was empty have been left out of back-translation so far, {:,} batches of "
                "them as a whole".format(self.empty, self.empty_batches),
                update,
            )


def flat(directions, counts):
    """Counts by direction as one flat dict of numbers, of the same keys always: fairseq sums it over all processes.

    counts: {(source, target): counts} for some of the directions.
    """
    return {
        _key(direction, field): float(counts.get(direction, {}).get(field, 0))
        for direction in directions
        for field in _COUNTS
    }


def _key(direction, field):
    return "_bt_{}-{}/{}".format(direction[0], direction[1], field)


def _rows(tokens, kept, pad):
    """The kept rows, without columns that are padding in all of them."""
    tokens = tokens[kept]
    return tokens[:, : int(tokens.ne(pad).sum(1).max())]


def _warn(text, update):
    """Log a warning, in one process of all."""
    if text and not (distributed.is_initialized() and distributed.get_rank()):
        logger.warning("update {:,}: {}".format(update, text))
