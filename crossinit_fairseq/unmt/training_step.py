"""One training step of `crossinit_unmt`: what it translates, what it learns from, and the gradients of it all."""

import contextlib
import functools
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Dict, List, Sequence, Tuple

import torch
from fairseq.criterions import FairseqCriterion
from fairseq.logging import metrics
from fairseq.optim.amp_optimizer import AMPOptimizer
from fairseq.tasks.online_backtranslation import PiecewiseLinearFn

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.generation.search import TranslationRequest
from crossinit_fairseq.models.bare_model import unwrap
from crossinit_fairseq.models.finite import FiniteWatch
from crossinit_fairseq.models.token_tables import FrozenTable
from crossinit_fairseq.unmt.ahead import TranslationsAhead
from crossinit_fairseq.unmt.back_translation import BackTranslation, Direction, flatten_counts
from crossinit_fairseq.unmt.directions import Directions
from crossinit_fairseq.unmt.output_loss import compute_loss

DENOISING, BACK_TRANSLATION = KINDS = ("dae", "bt")
_NAMES = {DENOISING: "denoising", BACK_TRANSLATION: "back-translation"}


@dataclass(frozen=True)
class WeightedSample:
    """A batch to learn from.

    kind: one of KINDS; language: of its target; weight: of its loss; with 0 the batch changes nothing, and only keeps a
    process in step that has nothing to learn from; sample: as fairseq's criterions take it.
    """

    kind: str
    language: str
    weight: float
    sample: Dict[str, Any]


class TrainingStep:
    """Denoises, back-translates, and learns from both; gradients of all languages add up in one update.

    lambda_dae, lambda_bt: weights of the two, as schedules; restrict_updates: for how many updates only tokens of the
    target language are generated, -1 for all; seed: of what is drawn in generation. Raises InputError for a weight that
    is no schedule. Its `ahead` holds what is translated for updates to come.
    """

    def __init__(
        self,
        directions: Directions,
        frozen_table: FrozenTable,
        watch: FiniteWatch,
        lambda_dae: str,
        lambda_bt: str,
        restrict_updates: int,
        seed: int,
    ):
        self.frozen_table, self.watch = frozen_table, watch
        self.directions, self.seed, self.restrict_updates = directions, seed, restrict_updates
        self.ahead = TranslationsAhead()
        self.schedules = {
            DENOISING: weight_schedule("--lambda-dae", lambda_dae),
            BACK_TRANSLATION: weight_schedule("--lambda-bt", lambda_bt),
        }

    def weights(self, update: int) -> Dict[str, float]:
        """The weight of each kind in an update."""
        return {kind: schedule(update) for kind, schedule in self.schedules.items()}

    def __call__(
        self,
        sample: Dict[str, Any],
        model: torch.nn.Module,
        criterion: FairseqCriterion,
        optimizer: Any,
        update: int,
        back_translation: BackTranslation,
        ignore_grad: bool,
    ) -> Tuple[torch.Tensor, int, Dict[str, Any]]:
        """Take the step. Returns what a task's train_step returns: (loss, sample size, logging output)."""
        self.watch.begin(model, update)
        # a process that got no batch (ignore_grad) runs along with another one, which counts nothing
        weights, batches = self.weights(update), [] if ignore_grad else sample["batches"]
        # all generation first: it is one for all languages, and the last backward pass, which exchanges gradients, must
        # be known as such
        model.eval()
        if batches and "ahead" in sample:
            self._translate_ahead(sample, unwrap(model), update, back_translation)
        requests = {}
        if weights[BACK_TRANSLATION] and batches:
            requests = self._requests(sample["update"], batches, update, back_translation)
        found = self._back_translated(sample, unwrap(model), requests, update, back_translation)
        model.train()
        samples: List[WeightedSample] = []
        counts: Dict[Direction, Counter] = defaultdict(Counter)
        for slot, batch in enumerate(batches):
            language = batch["language"]
            if weights[DENOISING]:
                samples.append(WeightedSample(DENOISING, language, weights[DENOISING], batch["denoise"]))
            if slot in found:
                back_translated, own = found[slot]
                counts[language, requests[slot].language].update(own)
                if back_translated is not None:
                    weight = weights[BACK_TRANSLATION]
                    samples.append(WeightedSample(BACK_TRANSLATION, language, weight, back_translated))
        if not samples:
            # fairseq hands in a validation batch for one of no batch
            first = sample["batches"][0] if "batches" in sample else {"language": "none", "denoise": sample}
            samples = [WeightedSample(DENOISING, first["language"], 0.0, first["denoise"])]
        with self.frozen_table.backward(model, update):
            loss, size, logs = accumulate_gradients(model, criterion, optimizer, samples, self.watch)
        logs.update(flatten_counts(self.directions.generated(), counts))
        return loss, size, logs

    def _translate_ahead(
        self, sample: Dict[str, Any], model: torch.nn.Module, update: int, back_translation: BackTranslation
    ) -> None:
        """Translate what the model is to translate for this update and the later ones of its group, by the model as it
        is."""
        entries = []
        for place, item in enumerate([sample] + sample["ahead"]):
            at = update + place // self.ahead.update_freq
            if not self.weights(at)[BACK_TRANSLATION]:
                continue
            for slot, request in self._requests(item["update"], item["batches"], at, back_translation).items():
                batch = item["batches"][slot]
                if not back_translation.by_words(batch["language"], request.language, at):
                    entries.append((item["update"], slot, batch["clean"], request))
        written = back_translation.ahead(model, [request for *_, request in entries])
        found: Dict[int, Dict[int, Any]] = {}
        for (item, slot, clean, _), translation in zip(entries, written):
            found.setdefault(item, {})[slot] = clean, translation
        self.ahead.replace(found, sample["has_later"])

    def _back_translated(
        self,
        sample: Dict[str, Any],
        model: torch.nn.Module,
        requests: Dict[int, TranslationRequest],
        update: int,
        back_translation: BackTranslation,
    ) -> Dict[int, Tuple[Any, Dict[str, float]]]:
        """{slot: (training sample or None, counts)}, of what was translated ahead, and of the rest translated now."""
        found, batches = {}, sample.get("batches", [])
        for slot, request in requests.items():
            written = self.ahead.take(sample["update"], slot, batches[slot]["clean"])
            if written is not None:
                found[slot] = back_translation.sample(batches[slot], request, written)
        now = [slot for slot in requests if slot not in found]
        translated = back_translation.samples(
            model, [batches[slot] for slot in now], [requests[slot] for slot in now], update
        )
        found.update(zip(now, translated))
        if batches:
            self.ahead.forget(sample["update"])
        return found

    def _requests(
        self, item: int, batches: Sequence[Dict[str, Any]], update: int, back_translation: BackTranslation
    ) -> Dict[int, TranslationRequest]:
        """{slot: request} of the batches that have a language to be translated into."""
        restricted = self.restrict_updates < 0 or update < self.restrict_updates
        requests = {}
        for slot, batch in enumerate(batches):
            other = self.directions.source_of(batch["language"], batch["turn"])
            if other is not None:
                requests[slot] = back_translation.request(batch, other, restricted, (self.seed, update, item, slot))
        return requests


def weight_schedule(option: str, text: str) -> PiecewiseLinearFn:
    """A weight by update. Raises InputError for anything but a number or UPDATE:WEIGHT,UPDATE:WEIGHT,..., and for
    weights that are negative or no numbers."""
    try:
        schedule = PiecewiseLinearFn.from_string(text)
    except (ValueError, AssertionError):
        raise InputError(
            f"{option} is {text!r}; it must be a number, or UPDATE:WEIGHT,UPDATE:WEIGHT with rising updates"
        ) from None
    if not all(0 <= weight < math.inf for _, weight in schedule.pieces):
        raise InputError(f"{option} is {text!r}; weights must be 0 or more")
    return schedule


def accumulate_gradients(
    model: torch.nn.Module,
    criterion: FairseqCriterion,
    optimizer: Any,
    samples: Sequence[WeightedSample],
    watch: FiniteWatch,
) -> Tuple[torch.Tensor, int, Dict[str, Any]]:
    """Run forward and backward on each sample: their gradients add up, and processes exchange them once.

    Returns (loss, sample size, logging output). The last has the same keys in the same order whatever the samples,
    since fairseq sums it over processes by place; each key of the criterion's once for all samples and once for each
    kind (``dae_loss``). samples: not empty; watch: ends the program for a loss that is not finite, before the backward
    pass.
    """
    total, size, logs = 0.0, 0, defaultdict(float)
    for number, one in enumerate(samples):
        with _exchange_gradients(model, number + 1 == len(samples)):
            # AMP is the one precision that asks this of the task
            with torch.autocast("cuda", enabled=isinstance(optimizer, AMPOptimizer)):
                loss, sample_size, log = compute_loss(model, criterion, one.sample)
            watch.loss(loss, functools.partial(_in_words, one))
            loss = loss * one.weight
            optimizer.backward(loss)
        counts = 1 if one.weight else 0
        total, size = total + loss.detach(), size + sample_size * counts
        for key, value in log.items():
            logs[key] += value * counts
            for kind in KINDS:
                logs[f"{kind}_{key}"] += value * (counts if kind == one.kind else 0)
    return total, size, dict(logs)


def log_losses(logging_outputs: Sequence[Dict[str, Any]]) -> bool:
    """Show the losses of denoising and of back-translation in fairseq's meters, in bits. Returns whether these logging
    outputs are of training at all."""
    for kind in KINDS:
        size = sum(log.get(kind + "_sample_size", 0) for log in logging_outputs)
        if size:
            loss = sum(log.get(kind + "_loss", 0) for log in logging_outputs)
            metrics.log_scalar(kind + "_loss", loss / size / math.log(2), size, round=3)
    return any(kind + "_sample_size" in log for log in logging_outputs for kind in KINDS)


def _exchange_gradients(model: torch.nn.Module, last: bool) -> Any:
    """Torch's data-parallel wrapper exchanges gradients in every backward pass: once, after the last, is enough."""
    if last or not hasattr(model, "no_sync"):
        return contextlib.nullcontext()
    return model.no_sync()


def _in_words(one: WeightedSample) -> str:
    """Which sentences a batch is of."""
    ids = one.sample["id"].tolist()
    listed = ", ".join(map(str, sorted(ids)[:20])) + (f" and {len(ids) - 20:,} more" if len(ids) > 20 else "")
    return f"{_NAMES[one.kind]} of language {one.language}, sentences {listed} of its training text"
