"""Language codes and pairs of them, as fairseq and sacreBLEU write them: ro, ro_RO, en-ro."""

from crossinit_fairseq.errors import InputError

# ISO 639-1
_CODES = frozenset("""
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz
    ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik
    io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml
    mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd
    se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi
    vo wa wo xh yi yo za zh zu
    """.split())


def base_code(code):
    """ro_RO -> ro. Raises InputError for what is no code of ISO 639-1, with or without a region."""
    base = code.split("_")[0]
    if base not in _CODES:
        raise InputError(f"{code!r} is no language code: give one such as en, ro, ne or ro_RO")
    return base


def language_pair(text):
    """ "en-ro" -> ("en", "ro"), source and target. Raises InputError."""
    parts = text.split("-")
    if len(parts) != 2:
        raise InputError(f"{text!r} is no pair of languages: give SOURCE-TARGET, such as en-ro")
    source, target = parts
    if base_code(source) == base_code(target):
        raise InputError(f"{text} translates a language into itself: give SOURCE-TARGET, such as en-ro")
    return source, target
