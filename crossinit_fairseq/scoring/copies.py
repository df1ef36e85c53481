"""How much of a translation is copied from its source: what unsupervised translation falls into."""

from collections import Counter


def copied(hypotheses, sources):
    """Shares of 0 to 1: of the lines that are their source as it is, and of the words that stand in their source too.

    A word counts at most as often as it stands in the source; of no words at all the share is 0. Some words belong in
    an honest translation as they are, names and numbers: compare with the share of the reference.
    """
    same = common = total = 0
    for hypothesis, source in zip(hypotheses, sources):
        words, others = hypothesis.split(), source.split()
        same += words == others and bool(words)
        common += sum((Counter(words) & Counter(others)).values())
        total += len(words)
    return {"lines": same / len(hypotheses), "words": common / total if total else 0.0}
