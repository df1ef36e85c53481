"""How much of a translation is copied from its source, how much is of its language, and whether training fell into copying."""

import torch

FIELDS = ("written", "copied", "in_target", "source", "common")


def copying_counts(source, output, words, target):
    """Count what a batch of translations is made of, as {field: number of tokens} for FIELDS.

    written: tokens of the output; copied: those that occur in the source sentence too, each at most as often as there;
    in_target: those that are of the target language; source: tokens of the source; common: those that are of the target
    language, and might stand in an honest translation as they are (names, numbers, punctuation).

    source, output: int64 [B, S] and [B, T]; words: bool [V], the tokens that count (no special symbols); target:
    bool [V], the target language's tokens (vocabulary.target_tokens). All on one device.
    """
    size = len(words)
    source_keys, source_counts = _occurrences(source, words, size)
    output_keys, output_counts = _occurrences(output, words, size)
    copied = 0
    if len(source_keys) and len(output_keys):
        places = torch.searchsorted(source_keys, output_keys).clamp(max=len(source_keys) - 1)
        there = source_keys[places].eq(output_keys)
        copied = int(torch.minimum(source_counts[places], output_counts)[there].sum())
    return {
        "written": int(output_counts.sum()),
        "copied": copied,
        "in_target": int(output_counts[target[output_keys % size]].sum()),
        "source": int(source_counts.sum()),
        "common": int(source_counts[target[source_keys % size]].sum()),
    }


def _occurrences(tokens, words, size):
    """The different (row, token) pairs as sorted int64 [N] ``row * V + token``, and how often each occurs."""
    rows = torch.arange(len(tokens), device=tokens.device).unsqueeze(1) * size
    return torch.unique((rows + tokens)[words[tokens]], return_counts=True)


class CopyWatch:
    """Notices when the translations of a direction have become copies of their sources.

    Of two languages, a share c of the source's tokens is of the target language too. An honest translation copies about
    c of its tokens, a copy all of them. Half-way between, more than half of what has no business in the target language
    is copied: that is the alarm. It is given once, and again only after the share has been back under a quarter of the
    way. Shares are of the last `window` batches or so (an exponential mean). No alarm where c is over 0.9: there a copy
    looks like a translation.
    """

    def __init__(self, window=100):
        self.window = window
        self.means = {}
        self.batches = {}
        self.alarmed = set()

    def add(self, direction, counts, batches=1):
        """Take in the counts of some batches of a direction. Returns the alarm as a text, or None.

        counts: {field: number} as of copying_counts, summed over the batches.
        """
        if not counts["written"] or not counts["source"]:
            return None
        keep = (1 - 1 / self.window) ** batches
        means = self.means.setdefault(direction, dict.fromkeys(FIELDS, 0.0))
        for field in FIELDS:
            means[field] = keep * means[field] + float(counts[field])
        self.batches[direction] = self.batches.get(direction, 0) + batches
        copied, common = means["copied"] / means["written"], means["common"] / means["source"]
        if copied < common + (1 - common) / 4:
            self.alarmed.discard(direction)
        falls = copied > (1 + common) / 2 and common < 0.9 and self.batches[direction] >= self.window
        if not falls or direction in self.alarmed:
            return None
        self.alarmed.add(direction)
        return (
            "training has fallen into copying: {:.0f} % of the tokens generated for {} lately stand in their source, although "
            "only {:.0f} % of its tokens are of the target language; --restrict-vocab-updates keeps it from that".format(
                100 * copied, direction, 100 * common
            )
        )
