"""A lexicon of two languages through a third: Nepali and English, through Hindi."""

from typing import Dict, Tuple

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language
from crossinit_fairseq.lexicon.lexicon_file import BACKWARD, FORWARD, MUTUAL, Lexicon, Pair


def compose(left: Lexicon, right: Lexicon) -> Lexicon:
    """The pairs that two lexicons with one common language make of their other two.

    A word is translated in two steps: by its best translation in the common language, and the best translation of that.
    A pair is mutual where the two steps lead from either word to the other. Its score is that of the weaker step. The
    result is to be trusted only where both lexicons are.
    Either lexicon may be turned around; the first one's other language becomes the source.

    Raises InputError when not exactly one language is common, when the words of one are lower-cased and those of the
    other are not, and when no word leads through.
    """
    common = {base_language(code) for code in (left.source, left.target)} & {
        base_language(code) for code in (right.source, right.target)
    }
    names = f"{left.source}-{left.target} and {right.source}-{right.target}"
    if len(common) != 1:
        raise InputError(
            f"the lexicons {names} have {len(common)} languages in common: a bridge needs one, as ne-hi and hi-en have"
        )
    (bridge,) = common
    first = left if base_language(left.target) == bridge else left.reversed()
    second = right if base_language(right.source) == bridge else right.reversed()
    if first.lowercase != second.lowercase:
        raise InputError(f"of the lexicons {names} one is lower-cased and the other is not: make both alike")
    forward = _through(first.translations(), second.translations())
    backward = _through(second.reversed().translations(), first.reversed().translations())
    # one-way translations in either direction, and what each link was scored
    scores = [{(pair.source, pair.target): pair.score for pair in lexicon.pairs} for lexicon in (first, second)]
    counts = [
        {pair.source: pair.counts[0] for pair in first.pairs},
        {pair.target: pair.counts[1] for pair in second.pairs},
    ]
    pairs = []
    for source, (middle, target) in forward.items():
        mutual = backward.get(target, ("", ""))[1] == source
        score = min(scores[0][source, middle], scores[1][middle, target])
        found = MUTUAL if mutual else FORWARD
        pairs.append(Pair(source, target, score, (counts[0][source], counts[1][target]), found))
    for target, (middle, source) in backward.items():
        if forward.get(source, ("", ""))[1] != target:
            score = min(scores[0][source, middle], scores[1][middle, target])
            pairs.append(Pair(source, target, score, (counts[0][source], counts[1][target]), BACKWARD))
    if not pairs:
        raise InputError(f"no word of {bridge} is in both of the lexicons {names}: are they of the same kind of text?")
    settings = {"lowercase": "yes" if first.lowercase else "no", "bridge": bridge}
    if not (first.trusted and second.trusted):
        settings["trusted"] = "no"
    elif "unknown" in (first.settings.get("trusted"), second.settings.get("trusted")):
        settings["trusted"] = "unknown"
    return Lexicon(first.source, second.target, pairs, settings)


def _through(first: Dict[str, str], second: Dict[str, str]) -> Dict[str, Tuple[str, str]]:
    """{word: (its translation in the language between, the translation of that)}."""
    return {word: (middle, second[middle]) for word, middle in first.items() if middle in second}
