"""What crossinit-lexicon prints: the pairs of a lexicon side by side, and its evaluation."""

from typing import Dict, List, Optional

from crossinit_fairseq.cli.command import format_columns
from crossinit_fairseq.errors import printable
from crossinit_fairseq.lexicon.evaluation import CANDIDATES, Evaluation, Precision
from crossinit_fairseq.lexicon.lexicon_file import MUTUAL, Lexicon


def format_pairs(lexicon: Lexicon, pairs: int, ranks: bool = False) -> str:
    """The pairs of the most frequent source words as a table; those of the file's order where it has no counts.

    pairs: how many; ranks: show also which place each word has among those of its language in the lexicon.
    """
    shown = sorted(lexicon.pairs, key=lambda pair: -pair.counts[0])[:pairs]
    places = [_places(lexicon), _places(lexicon.reversed())] if ranks else []
    counted, one_way = any(map(any, (pair.counts for pair in shown))), any(pair.found != MUTUAL for pair in shown)
    head = [lexicon.source, lexicon.target, "score"]
    rows = [head + ["count", "count"] * counted + ["rank", "rank"] * ranks + ["found"] * one_way]
    for pair in shown:
        row = [pair.source, pair.target, f"{pair.score:.3f}"]
        row += [f"{count:,}" if count else "unknown" for count in pair.counts] * counted
        row += [f"{place[word]:,}" for place, word in zip(places, (pair.source, pair.target))]
        rows.append(row + [pair.found] * one_way)
    said = f"{len(lexicon):,} pairs of words of {head[0]} and {head[1]}"
    mutual = len(lexicon.mutual())
    if mutual < len(lexicon):
        said += f", {mutual:,} of them mutual"
    if not lexicon.trusted:
        said += "; this lexicon is not to be trusted: from different starts the search found different pairs"
    elif lexicon.settings.get("trusted") == "unknown":
        said += "; from one start, and whether another would find the same pairs is not known"
    return format_columns(rows) + "\n\n" + said


def format_evaluation(evaluation: Evaluation, dictionary: str) -> str:
    """One direction as a table, and sentences about it. dictionary: what the sentences call it."""
    one = evaluation
    rows = [["", "right", "of", "by words", "by running words"]]
    rows.append(_row("P@1", one.at_1))
    if one.several:
        rows.append(_row(f"P@{CANDIDATES}", one.at_5))
    rows.append(_row("mutual pairs", one.mutual))
    for first, last, at in one.bands:
        if at.judged:
            rows.append(_row(f"P@1, ranks {first:,} to {last:,}" if last else f"P@1, ranks from {first:,}", at))
    lines = [f"{printable(one.source)}-{printable(one.target)}, by {printable(dictionary)}", format_columns(rows)]
    lines.append(
        f"coverage: {one.covered:,} of the {one.dictionary_words:,} words of the dictionary have a translation "
        f"({one.coverage:.1%})"
    )
    if one.text_covered is not None:
        lines.append(f"coverage: {one.text_covered:.1%} of the running words of the text have a translation")
    if one.several:
        lines.append(f"{one.several:,} of the {one.at_1.judged:,} judged words have more than one candidate")
    if one.not_judged:
        lines.append(f"not judged, since the dictionary does not have them: {one.not_judged:,} words")
        if one.not_judged_running:
            share = one.not_judged_running / (one.not_judged_running + one.at_1.judged_running)
            lines[-1] += f", {share:.1%} of the running words"
    return "\n".join(lines)


def _row(title: str, precision: Precision) -> List[str]:
    shares = (precision.by_types, precision.by_running_words)
    return [title, f"{precision.right:,}", f"{precision.judged:,}"] + [_share(share) for share in shares]


def _share(share: Optional[float]) -> str:
    return "unknown" if share is None else f"{share:.1%}"


def _places(lexicon: Lexicon) -> Dict[str, int]:
    """{source word: its place by count, from 1}."""
    counts: Dict[str, int] = {}
    for pair in lexicon.pairs:
        counts[pair.source] = max(counts.get(pair.source, 0), pair.counts[0])
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: place for place, word in enumerate(ranked, 1)}
