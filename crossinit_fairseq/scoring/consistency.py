"""Whether the files belong together: the same sentences, the right direction, the right language."""

import re
import unicodedata
from collections import Counter
from typing import Dict, List, Optional, Sequence, Tuple

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.languages import base_language
from crossinit_fairseq.scoring.outputs import Output

# of the same sentences, after normalisation and <unk>, far more; of others in the same language about 0.1
_SAME = 0.3
# shorter texts are not judged by their language
_ENOUGH = 1000
# letters of Chinese, Japanese, Thai, Lao, Burmese and Khmer
_NO_BLANKS = re.compile(
    "[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
)


def check_sentences(
    output: Output,
    reference: List[str],
    reference_path: str,
    source: Optional[List[str]] = None,
    source_path: Optional[str] = None,
) -> None:
    """Raise InputError when fairseq-generate's own S- and T- lines are other sentences than those of the files.

    Also when its lines have lost their spaces. reference, source: lists of str; they may differ from what was binarised
    in accents, case and unknown words.
    """
    if _lost_spaces(list(output.targets.values()) or output.hypotheses, reference):
        raise InputError(
            f"the lines of {output.path} have lost the spaces between their words, as where fairseq-generate is given "
            "both --bpe sentencepiece and --remove-bpe sentencepiece: drop --bpe and --sentencepiece-model, and keep "
            "--remove-bpe"
        )
    to_reference = _share(output.sources, reference)
    if output.targets:
        same = _share(output.targets, reference)
        swapped = output.sources and to_reference > same
    else:
        same, swapped = 1.0, output.sources and to_reference > (_share(output.sources, source) if source else 0.5)
    if swapped:
        raise InputError(
            f"{output.path} translates the sentences of {reference_path}, not into its language: it is of the other "
            "direction, or --reference and --source are swapped"
        )
    if same < _SAME:
        raise InputError(
            f"the T- lines of {output.path} are not the sentences of {reference_path}: {same:.0%} of their words are "
            "the same; is it another test set, or another order?"
        )
    if source and output.sources and _share(output.sources, source) < _SAME:
        raise InputError(
            f"the S- lines of {output.path} are not the sentences of {source_path}: "
            f"{_share(output.sources, source):.0%} of their words are the same; is it another test set, or "
            "another order?"
        )


def check_text_languages(
    pair: Tuple[str, str],
    reference: List[str],
    reference_path: str,
    source: Optional[List[str]] = None,
    source_path: Optional[str] = None,
) -> None:
    """Raise InputError when py3langid, where it is installed, finds a file in the language of the other side.

    pair: (source, target) codes; reference, source: lists of str.
    """
    for lines, path, right, wrong in ((reference, reference_path, pair[1], pair[0]), (source, source_path, *pair)):
        if lines and likely_language(lines, pair) == wrong:
            raise InputError(f"{path} reads as {wrong}, not as {right}: are the sides swapped?")


def likely_language(lines: Sequence[str], languages: Sequence[str]) -> Optional[str]:
    """Which of the languages a text reads as; None if it is short, or py3langid lacks one of them or is absent."""
    text = " ".join(lines)[:200000]
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        return None
    if len(text) < _ENOUGH:
        return None
    by_code = {base_language(language): language for language in languages}
    model = LanguageIdentifier.from_pickled_model(MODEL_FILE)
    if not set(by_code) <= set(model.nb_classes):
        return None
    model.set_languages(list(by_code))
    return by_code[model.classify(text)[0]]


def _lost_spaces(lines: Sequence[str], reference: Sequence[str]) -> bool:
    """Whether nearly all lines are one long word each, where those of the reference have several words."""
    spaced = sum(len(line.split()) > 2 for line in reference)
    glued = sum(len(line.split()) == 1 and len(line) > 10 for line in lines)
    return spaced > 0.5 * len(reference) and glued > 0.8 * len(lines)


def _share(numbered: Dict[int, str], lines: List[str]) -> float:
    """Dice coefficient of the words of {number: sentence} and of the sentences of these numbers; 0 of nothing."""
    common = total = 0
    for number, sentence in numbered.items():
        if number < len(lines):
            one, other = _words(sentence), _words(lines[number])
            common += sum((one & other).values())
            total += sum(one.values()) + sum(other.values())
    return 2 * common / total if total else 0.0


def _words(sentence: str) -> "Counter[str]":
    plain = unicodedata.normalize("NFKD", sentence).casefold()
    plain = "".join(c for c in plain if unicodedata.category(c) != "Mn")
    # a sentence without blanks would be one word: each of its letters is compared
    return Counter(_NO_BLANKS.sub(r" \g<0> ", plain).split())
