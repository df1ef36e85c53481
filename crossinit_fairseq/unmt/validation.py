"""What a validation batch is measured by: BLEU, or BLEU of a round trip; copying; some translations to read."""

import logging

from fairseq.logging import metrics

from crossinit_fairseq.translation.bleu import bleu_statistics, log_bleu, no_statistics
from crossinit_fairseq.translation.copying import copying_counts

logger = logging.getLogger(__name__)

_SHARES = ("copied", "in_target")
_COUNTS = ("written",) + _SHARES


class Validation:
    """Translates validation batches greedily and scores them. A score is (kind, source, target) with kind "bleu" (an
    aligned text) or "round_trip" (a monolingual text of `source`, by way of `target`).

    sizes: {score: number of its sentences}; generate: function (model, int64 [B, S] dressed source, language, bool [V]
    or None) -> int64 [B, T]; convention: Convention; strings: function int64 [B, T] -> list of str; words: bool [V],
    no special symbols; target: {language: bool [V]}, its tokens; restrict: whether a round trip's way there may only
    use tokens of its language; samples: how many translations of each score to log.
    """

    def __init__(self, sizes, generate, convention, strings, words, target, restrict, samples):
        self.scores, self.sizes = list(sizes), sizes
        self.generate, self.convention, self.strings = generate, convention, strings
        self.words, self.target, self.restrict, self.samples = words, target, restrict, samples

    def aligned(self):
        """Whether there is any aligned text."""
        return any(score[0] == "bleu" for score in self.scores)

    def statistics(self, model, sample):
        """Translate a batch of DirectionBatches. Returns {name: int}, with the names of all scores in a fixed order.

        A copy survives the round trip best of all: what a model that copies gets back is its source. So the way there may
        only use tokens of the other language (vocabulary.target_tokens), unless `restrict` is off.
        """
        score = kind, source, target = sample["tag"]
        found = {}
        for each in self.scores:
            found.update(no_statistics(_name(each)))
            found.update({_key(each, field): 0 for field in _COUNTS})
        start, references = sample["net_input"]["src_tokens"], self.strings(sample["target"])
        if kind == "bleu":
            made = there = self.generate(model, start, target, None)
            hypotheses = self.strings(made)
        else:
            start = sample["target"]  # the clean sentences; the noisy ones are for the loss
            there = self.generate(model, start, target, self.target[target] if self.restrict else None)
            made = self.generate(model, self.convention.dress_generated(there, target), source, None)
            hypotheses = self.strings(made)
        found.update(bleu_statistics(_name(score), hypotheses, references))
        device = there.device
        counts = copying_counts(start, there, self.words.to(device), self.target[target].to(device))
        found.update({_key(score, field): counts[field] for field in _COUNTS})
        self._show(score, sample["id"].tolist(), start, there, hypotheses, references)
        return found

    def _show(self, score, numbers, start, there, hypotheses, references):
        """Log the translations of a few sentences, the same ones at every validation."""
        shown = spread(self.sizes[score], self.samples)
        rows = [row for row, number in enumerate(numbers) if number in shown]
        if not rows:
            return
        starts, way = self.strings(start[rows]), self.strings(there[rows])
        for place, row in enumerate(rows):
            if score[0] == "bleu":
                parts = [("source", starts[place]), ("output", hypotheses[row]), ("reference", references[row])]
            else:
                parts = [("source", starts[place]), (score[2], way[place]), ("back", hypotheses[row])]
            logger.info("{} | {}".format(_name(score), " | ".join("{}: {}".format(*part) for part in parts)))

    def log(self, logging_outputs):
        """Show the scores and their means in fairseq's meters."""
        for kind, mean in (("bleu", "bleu"), ("round_trip", "round_trip_bleu")):
            log_bleu([_name(score) for score in self.scores if score[0] == kind], mean, logging_outputs)
        for score in self.scores:
            sums = {field: sum(log.get(_key(score, field), 0) for log in logging_outputs) for field in _COUNTS}
            # under a restricted vocabulary, what is copied and in whose vocabulary says nothing
            if sums["written"] and (score[0] == "bleu" or not self.restrict):
                for field in _SHARES:
                    name = "{}_{}{}-{}".format(field, "there_" if score[0] == "round_trip" else "", *score[1:])
                    metrics.log_scalar(name, float(sums[field] / sums["written"]), float(sums["written"]), round=3)


def spread(size, count):
    """`count` numbers below `size`, evenly spread: a set, smaller where there are not so many."""
    return {int((2 * k + 1) * size // (2 * count)) for k in range(count)} if size else set()


def _name(score):
    return "{}_{}-{}".format(*score)


def _key(score, field):
    return "_{}/{}".format(_name(score), field)
