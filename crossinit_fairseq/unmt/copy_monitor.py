"""How much of a translation is copied from its source, how much is of its language, and whether training fell into
copying."""

from typing import Dict, Mapping, Optional, Set, Tuple

import torch
from torch import Tensor

FIELDS = ("written", "copied", "in_target", "source", "common")


def count_copies(source: Tensor, output: Tensor, text_tokens: Tensor, vocabulary: Tensor) -> Dict[str, int]:
    """Count what a batch of translations is made of, as {field: number of tokens} for FIELDS.

    written: tokens of the output; copied: those that occur in the source sentence too, each at most as often as there;
    in_target: those that are of the target language; source: tokens of the source; common: those that are of the target
    language, and might stand in an honest translation as they are (names, numbers, punctuation).

    source, output: int64 [B, S] and [B, T]; text_tokens: bool [V], the tokens that count (no special tokens);
    vocabulary: bool [V], the target language's tokens (data/vocabularies.py). All on one device.
    """
    size = len(text_tokens)
    source_keys, source_counts = _occurrences(source, text_tokens, size)
    output_keys, output_counts = _occurrences(output, text_tokens, size)
    copied = 0
    if len(source_keys) and len(output_keys):
        places = torch.searchsorted(source_keys, output_keys).clamp(max=len(source_keys) - 1)
        shared = source_keys[places].eq(output_keys)
        copied = int(torch.minimum(source_counts[places], output_counts)[shared].sum())
    return {
        "written": int(output_counts.sum()),
        "copied": copied,
        "in_target": int(output_counts[vocabulary[output_keys % size]].sum()),
        "source": int(source_counts.sum()),
        "common": int(source_counts[vocabulary[source_keys % size]].sum()),
    }


def _occurrences(tokens: Tensor, text_tokens: Tensor, size: int) -> Tuple[Tensor, Tensor]:
    """The different (row, token) pairs as sorted int64 [N] ``row * V + token``, and how often each occurs."""
    rows = torch.arange(len(tokens), device=tokens.device).unsqueeze(1) * size
    return torch.unique((rows + tokens)[text_tokens[tokens]], return_counts=True)


class CopyMonitor:
    """Notices when the translations of a direction have become copies of their sources, or are of another language.

    Names, numbers and punctuation are the same in both languages: a share c of the source's tokens is of the target
    language too. An honest translation copies about c of its tokens, and a copy copies all of them. Nearly all tokens
    of an honest translation are of the target language, and only c of a text in the source's language. The alarm is
    given half-way between the two, once, and again only after the share has been back under a quarter of the way. A
    copy is called a copy, and not another language too. Shares are of about the last `window` batches (an exponential
    mean). There is no alarm where c is over 0.9: there a copy looks like a translation.
    """

    def __init__(self, window: int = 100):
        self.window = window
        self.means: Dict[str, Dict[str, float]] = {}
        self.batches: Dict[str, int] = {}
        self.alarmed: Dict[str, Set[str]] = {}

    def add(self, direction: str, counts: Mapping[str, float], batches: int = 1) -> Optional[str]:
        """Take in the counts of some batches of a direction. Returns the alarm as a text, or None.

        counts: {field: number} as of count_copies, summed over the batches.
        """
        if not counts["written"] or not counts["source"]:
            return None
        keep = (1 - 1 / self.window) ** batches
        means = self.means.setdefault(direction, dict.fromkeys(FIELDS, 0.0))
        for field in FIELDS:
            means[field] = keep * means[field] + float(counts[field])
        self.batches[direction] = self.batches.get(direction, 0) + batches
        common = means["common"] / means["source"]
        if common >= 0.9:
            return None
        shares = {"copied": means["copied"] / means["written"], "foreign": 1 - means["in_target"] / means["written"]}
        # how far from an honest translation (0) to a copy, or to a text in the source's language (1)
        way = {"copied": (shares["copied"] - common) / (1 - common), "foreign": shares["foreign"] / (1 - common)}
        alarmed = self.alarmed.setdefault(direction, set())
        alarmed -= {kind for kind, gone in way.items() if gone < 0.25}
        kind = next((kind for kind, gone in way.items() if gone > 0.5), None)
        if kind is None or kind in alarmed or self.batches[direction] < self.window:
            return None
        alarmed.add(kind)
        return _ALARMS[kind].format(100 * shares[kind], direction, 100 * common)


_ALARMS = {
    "copied": "training has fallen into copying: {:.0f} % of the tokens generated for {} lately stand in their source, "
    "although only {:.0f} % of its tokens are of the target language; --restrict-vocab-updates keeps it from that",
    "foreign": "training writes the wrong language: {:.0f} % of the tokens generated for {} lately are not of the "
    "target language, and {:.0f} % of the source's are; --restrict-vocab-updates keeps it from that",
}
