"""One training step of `crossinit_unmt`: what it translates, and what it learns from."""

from fairseq.tasks.online_backtranslation import PiecewiseLinearFn

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.models.bare_model import unwrap
from crossinit_fairseq.translation.back_translation import flat
from crossinit_fairseq.translation.learning import learn


class UnmtStep:
    """Denoises, back-translates, and learns from both; gradients of all languages add up in one update.

    cfg: CrossInitUnmtConfig; directions: Directions; frozen_table: FrozenTable. Raises InputError for a weight that is no schedule.
    """

    def __init__(self, cfg, directions, frozen_table):
        self.frozen_table = frozen_table
        self.directions, self.seed, self.restrict_updates = directions, cfg.seed, cfg.restrict_vocab_updates
        self.schedules = {
            "dae": _schedule("--lambda-dae", cfg.lambda_dae),
            "bt": _schedule("--lambda-bt", cfg.lambda_bt),
        }

    def weights(self, update):
        """{"dae": weight of denoising, "bt": weight of back-translation}."""
        return {kind: schedule(update) for kind, schedule in self.schedules.items()}

    def __call__(self, sample, model, criterion, optimizer, update, back_translation, ignore_grad):
        """Take the step. Returns what a task's train_step returns; its arguments are those, and a BackTranslation."""
        # a process that got no batch (ignore_grad) runs along with another one, which counts nothing
        weights, batches = self.weights(update), [] if ignore_grad else sample["batches"]
        # all generation first: it is one for all languages, and the last backward pass, which exchanges gradients, must be
        # known as such
        requests = self._requests(sample["update"], batches, update) if weights["bt"] and batches else {}
        model.eval()
        made = dict(zip(requests, back_translation.samples(unwrap(model), list(requests.values()), update)))
        model.train()
        samples, counts = [], {}
        for slot, batch in enumerate(batches):
            language = batch["language"]
            if weights["dae"]:
                samples.append(("dae", language, weights["dae"], batch["denoise"]))
            if slot in made:
                translated, found = made[slot]
                sums = counts.setdefault((language, requests[slot][1]), {})
                for field, value in found.items():
                    sums[field] = sums.get(field, 0) + value
                samples += [("bt", language, weights["bt"], translated)] if translated is not None else []
        if not samples:
            # fairseq hands in a validation batch for one of no batch
            first = sample["batches"][0] if "batches" in sample else {"language": "none", "denoise": sample}
            samples = [("dae", first["language"], 0.0, first["denoise"])]
        try:
            with self.frozen_table.backward(model, update):
                loss, size, logs = learn(model, criterion, optimizer, samples, update)
        except FloatingPointError as error:
            raise SystemExit("crossinit_fairseq: error: {}".format(error)) from None
        logs.update(flat(self.directions.generated(), counts))
        return loss, size, logs

    def _requests(self, item, batches, update):
        """{slot: what BackTranslation.samples asks for} of the batches that have a language to be translated into."""
        restrict = self.restrict_updates < 0 or update < self.restrict_updates
        requests = {}
        for slot, batch in enumerate(batches):
            other = self.directions.source_of(batch["language"], batch["turn"])
            if other is not None:
                requests[slot] = (batch, other, restrict, (self.seed, update, item, slot))
        return requests


def _schedule(option, text):
    """A weight by update. Raises InputError for anything but a number or UPDATE:WEIGHT,UPDATE:WEIGHT,..."""
    try:
        return PiecewiseLinearFn.from_string(text)
    except (ValueError, AssertionError):
        raise InputError(
            "{} is {!r}; it must be a number, or UPDATE:WEIGHT,UPDATE:WEIGHT with rising updates".format(option, text)
        ) from None
