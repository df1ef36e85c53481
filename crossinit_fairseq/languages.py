"""Language codes: the language that each of the many names, and pairs of them.

`ro`, `ro_RO`, `ro-RO`, `ron` and `ron_Latn` are all Romanian; `zho_Hans` and `cmn` are Chinese. Whatever depends on the
language (which letters are one letter, how words are cut, which tokeniser scores) asks `base_language`, so that it
does the same for each of these codes. File names, language tokens and options keep the code as it was given.
"""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Any, List, Optional, Sequence, Tuple

from crossinit_fairseq.errors import InputError

# a code becomes the name of a folder, of a file and of a token, so nothing else may stand in it
_WELL_FORMED = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")
# older text has the Turkish letters with cedilla, because early Unicode had none with comma below
_COMMA_BELOW = str.maketrans("\u015e\u015f\u0162\u0163", "\u0218\u0219\u021a\u021b")
# Arabic yeh, alef maksura and kaf, which keyboards gave long before the letters of Persian, Urdu and Sorani
_ARABIC_TYPED = str.maketrans("\u064a\u0649\u0643", "\u06cc\u06cc\u06a9")
_OWN_LETTERS = {
    **dict.fromkeys(("ro", "mo"), _COMMA_BELOW),
    **dict.fromkeys(("fa", "ur", "ckb"), _ARABIC_TYPED),
}
_OKINA = (re.compile("['`\u2018\u2019\u02bc](?=[aeiou\u0101\u0113\u012b\u014d\u016b])", re.IGNORECASE), "\u02bb")
# what several characters are written for: Sorani's e as a heh that joins nothing; the Catalan middle dot as a bullet,
# an operator or, between the letters of a word, a full stop; the glottal stop of Polynesian languages as any quotation
# mark
_OWN_SPELLINGS = {
    "ckb": (re.compile("\u0647\u200c"), "\u06d5"),
    "ca": (
        re.compile("(?<=[lL])[\u2022\u2027\u2219\u22c5](?=[lL])|(?<=[^\\W\\d_][lL])\\.(?=[lL][^\\W\\d_])"),
        "\u00b7",
    ),
    **dict.fromkeys(("haw", "sm", "to", "ty"), _OKINA),
}
_CHINESE = {
    "zh": "Chinese",
    "yue": "Cantonese",
    "wuu": "Wu Chinese",
    "lzh": "Classical Chinese",
    "nan": "Min Nan Chinese",
    "hak": "Hakka Chinese",
    "gan": "Gan Chinese",
    "hsn": "Xiang Chinese",
}
# scripts of ISO 15924 whose letters have a name of their own in Unicode: DEVANAGARI LETTER KA
_LETTERS = {
    "Arab": "ARABIC",
    "Armn": "ARMENIAN",
    "Beng": "BENGALI",
    "Cyrl": "CYRILLIC",
    "Deva": "DEVANAGARI",
    "Ethi": "ETHIOPIC",
    "Geor": "GEORGIAN",
    "Grek": "GREEK",
    "Gujr": "GUJARATI",
    "Guru": "GURMUKHI",
    "Hebr": "HEBREW",
    "Knda": "KANNADA",
    "Latn": "LATIN",
    "Mlym": "MALAYALAM",
    "Sinh": "SINHALA",
    "Taml": "TAMIL",
    "Telu": "TELUGU",
}
_LOOKED_AT = 1000  # words; the most frequent ones tell
_SPACELESS = {**_CHINESE, "ja": "Japanese", "th": "Thai", "km": "Khmer", "lo": "Lao", "my": "Burmese"}


def check_code(code: str) -> str:
    """The code itself. Raises InputError when it cannot be one: `../x`, `a b`, `*`, `english`."""
    _language(code)
    return code


def base_language(code: str) -> str:
    """The language alone, by its shortest code: "ro" of ro_RO, ron and ron_Latn, "zh" of zho_Hans and cmn, "he" of iw.

    Script and region do not count. A code that no standard knows, such as xx, stays what it is, in small letters.
    Raises InputError for what cannot be a code at all.
    """
    return _language(code).language or "und"


def script_of(code: str) -> Optional[str]:
    """The script that the code asks for although its language is usually written in another: "Latn" of hi_Latn.

    None where the code names no script, or the usual one. Raises InputError for what cannot be a code at all.
    """
    named = _language(code).script
    return named if named != _language(base_language(code)).maximize().script else None


def letters_by_script(words: Sequence[str]) -> Counter:
    """How many letters are of each script, by how Unicode's names begin (LATIN, DEVANAGARI); only the first words, the
    most frequent ones, are looked at."""
    letters = (letter for word in words[:_LOOKED_AT] for letter in word if letter.isalpha())
    return Counter(unicodedata.name(letter, "").split(" ")[0] for letter in letters)


def unlike_script(code: str, words: Sequence[str]) -> Optional[str]:
    """The script that most letters of a language's words are of, where it is not the language's: "Latin" of ne.

    words: the most frequent ones first. A code that names a script asks for that one (hi_Latn); None also where the
    language or its script is not known here, as for Chinese. Raises InputError for what cannot be a code at all.
    """
    language = _language(code)
    # of a language that it does not know, the library says Latin
    expected = _LETTERS.get(language.maximize().script or "") if language.is_valid() else None
    scripts = letters_by_script(words)
    if not expected or 2 * scripts[expected] >= sum(scripts.values()):
        return None
    most = scripts.most_common(1)[0][0]
    return most.capitalize() if most in _LETTERS.values() else None


def doubt_of_script(code: str, lines: Sequence[str]) -> Optional[str]:
    """A sentence's end for text that seems to be of another language, by its script; None where there is no doubt.

    lines: of any text; those looked at are spread evenly over it. "most letters are Latin: is this text ne?". Raises
    InputError for what cannot be a code at all.
    """
    words = [word for line in lines[:: len(lines) // _LOOKED_AT + 1] for word in line.split()]
    other = unlike_script(code, words[:: len(words) // _LOOKED_AT + 1])
    return f"most letters are {other}: is this text {code}?" if other else None


def is_chinese(code: str) -> bool:
    """Whether the code is of Chinese in Chinese characters: zh, zh_TW, yue, zh_yue, lzh; not zh_Latn, which is Pinyin.

    Raises InputError for what cannot be a code at all.
    """
    return base_language(code) in _CHINESE and script_of(code) != "Latn"


def spaceless_language(code: str) -> Optional[str]:
    """The English name of a language whose writing has no spaces between words, None of any other.

    "Cantonese" of yue, "Thai" of tha_Thai, None of nan_Latn: the Latin letters of such a language have spaces. Raises
    InputError for what cannot be a code at all.
    """
    return None if script_of(code) == "Latn" else _SPACELESS.get(base_language(code))


def is_code(code: str) -> bool:
    """Whether the code is well formed, known or not."""
    try:
        check_code(code)
    except InputError:
        return False
    return True


def is_known(code: str) -> bool:
    """Whether the code is well formed and its language stands in the registry of languages: not xx, not `a b`."""
    try:
        return _language(code).is_valid()
    except InputError:
        return False


def same_language(first: str, second: str) -> bool:
    """Whether two codes are of one language: ro and ron_Latn. Raises InputError for what cannot be a code at all."""
    return base_language(first) == base_language(second)


def language_list(text: str) -> List[str]:
    """ "en,ro" -> ["en", "ro"]. Raises InputError for what is no code, for none, and for a language twice."""
    codes = [code.strip() for code in text.split(",") if code.strip()]
    bases = [base_language(code) for code in codes]
    if not codes or len(set(bases)) < len(bases):
        raise InputError(f"{text!r} is no list of different languages: give codes between commas, such as en,ro")
    return codes


def language_pair(text: str, languages: Sequence[str] = ()) -> Tuple[str, str]:
    """ "en-ro" -> ("en", "ro"); codes with hyphens of their own as well: "zh-Hans-en" -> ("zh-Hans", "en").

    languages: the codes that may stand in the pair, where they are known; any if empty. Raises InputError for what is
    no pair, for a pair that can be read in two ways, and for a language with itself (without `languages`, en_GB-en_US
    is one).
    """
    parts = text.split("-")
    splits = [("-".join(parts[:place]), "-".join(parts[place:])) for place in range(1, len(parts))]
    if languages:
        pairs = [pair for pair in splits if pair[0] in languages and pair[1] in languages]
    else:
        pairs = [pair for pair in splits if is_known(pair[0]) and is_known(pair[1])]
        # a language is written in small letters, a region in capital ones: en-pt-BR is no pair of en-PT and Breton
        pairs = [pair for pair in pairs if len(pairs) == 1 or pair[1][:2].islower()] or pairs
        if len(splits) == 1 and not pairs:
            check_code(splits[0][0])
            check_code(splits[0][1])
            pairs = splits
    if len(pairs) != 1:
        among = f" of two of {', '.join(languages)}" if languages else ""
        why = "can be read in two ways" if pairs else "is no pair of languages"
        raise InputError(f"{text!r} {why}: give SOURCE-TARGET{among}, such as en-ro, or zh_Hans-en")
    if pairs[0][0] == pairs[0][1] or (not languages and same_language(*pairs[0])):
        raise InputError(f"{text} translates a language into itself: give SOURCE-TARGET, such as en-ro")
    return pairs[0]


def comma_below(text: str) -> str:
    """Romanian s and t with a cedilla become s and t with a comma below, as normalise-romanian.py of WMT16 does it."""
    return text.translate(_COMMA_BELOW)


def own_letters(text: str, base: str) -> str:
    """Letters of another language's keyboard as those that this one is spelt with: in Romanian `comma_below`, in
    Persian, Urdu and Sorani its own yeh and kaf for the Arabic ones; in Sorani the letter e, in Catalan the middle dot,
    in Hawaiian, Samoan, Tongan and Tahitian the glottal stop. base: the code, as `base_language` has it."""
    if base in _OWN_LETTERS:
        text = text.translate(_OWN_LETTERS[base])
    if base in _OWN_SPELLINGS:
        pattern, letter = _OWN_SPELLINGS[base]
        text = pattern.sub(letter, text)
    return text


@lru_cache(maxsize=None)
def _language(code: str) -> Any:
    """The code as a langcodes.Language, in its standard form. Raises InputError when it is not well formed."""
    import langcodes  # here, since commands ask it only once they have text, and their --help is quick

    try:
        if not _WELL_FORMED.fullmatch(code):
            raise langcodes.LanguageTagError(code)
        # `macro`: ron_Latn is ro, npi_Deva (Nepali alone) is ne, as text and libraries have it
        return langcodes.Language.get(langcodes.standardize_tag(code, macro=True), normalize=False)
    except langcodes.LanguageTagError:
        raise InputError(f"{code!r} is no language code: give one such as en, ne, ro_RO or ron_Latn") from None
