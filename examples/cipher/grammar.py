"""Toy English: sentences drawn from a grammar, so that the example needs no text. Run it to see some.

A sentence is about one of twenty scenes, each with people, things, deeds, places and qualities of its own; function
words, pronouns and numbers serve all. Within each list the first words are the most frequent (Zipf's law), and so are
the first scenes. So a word is known by its company and by its frequency, as in real text, only more so.
"""

import random

# people | things | what people do to things | what people do | places | qualities of things | qualities of people
_SCENES = """
cook waiter guest baker | soup plate pie apple knife potato | taste serve burn carry order | eat dine | kitchen restaurant bakery | hot sweet fresh salty | hungry busy
teacher pupil student professor | book lesson question poem word exam | read explain learn answer forget | study listen | school library classroom | difficult short boring | clever lazy
farmer shepherd neighbor hunter | cow sheep field goat horse tractor | feed sell milk count chase | work rest | farm village barn | muddy brown fertile | patient sturdy
doctor nurse patient surgeon | medicine wound fever pill bandage | treat heal notice prescribe | recover cough | hospital clinic ward | painful severe bitter | sick pale
sailor captain fisherman pirate | ship boat net anchor sail wave | repair steer row sink | swim drown | harbor island beach | wooden rusty deep | brave thirsty
king queen knight prince | crown castle sword throne dragon | rule attack defend steal | reign kneel | palace tower court | golden royal cruel | noble proud
singer pianist dancer drummer | song piano guitar violin melody | play compose practice tune | sing dance | theater stage concert | loud gentle famous | nervous talented
mechanic driver cyclist passenger | car wheel engine truck bicycle brake | drive park wash push | travel wait | garage street station | fast broken electric | careless impatient
painter artist sculptor visitor | picture statue portrait brush mirror | paint admire draw frame | look smile | museum gallery studio | colorful modern beautiful | curious gifted
player coach runner referee | ball goal medal race trophy | kick throw win lose | run jump | stadium park gym | important final round | strong tired
lawyer judge thief witness | letter crime document verdict clue | write prove deny sign | argue confess | prison courthouse bank | legal guilty secret | honest nervous
gardener florist child grandmother | flower tree rose garden seed leaf | plant water pick cut | bloom grow | greenhouse meadow yard | green tall wild | kind old
merchant customer tailor seller | coat dress shoe ring price shirt | buy wear choose trade | pay bargain | shop market mall | cheap expensive elegant | rich greedy
soldier general guard spy | gun bomb enemy map bridge | destroy capture watch hide | march surrender | camp border fort | dangerous heavy foreign | loyal fearful
scientist engineer inventor astronaut | machine rocket computer robot planet | build test invent discover | think experiment | laboratory office factory | tiny complex distant | wise famous
mother father baby uncle | toy blanket bed doll cradle | hold fold clean find | sleep cry | bedroom house nursery | soft warm blue | happy young
mason carpenter plumber worker | wall roof door ladder hammer pipe | fix climb lift break | hurry whistle | cellar attic building | solid narrow wet | skilled careful
priest monk bride pilgrim | candle bell prayer church hymn | light ring bless remember | pray marry | temple abbey chapel | holy ancient silent | humble faithful
dog cat rabbit mouse | bone fish carrot cheese nest | bite smell bury lick | bark hop | basket bush hole | dirty smooth raw | furry sleepy
actor director reporter critic | film story camera newspaper scene | film tell review record | laugh whisper | cinema hall hotel | funny sad strange | handsome vain
"""
_SCENES = [[part.split() for part in line.split("|")] for line in _SCENES.strip().splitlines()]
_IRREGULAR_PLURALS = {"child": "children", "mouse": "mice", "sheep": "sheep", "fish": "fish", "thief": "thieves"}
_IRREGULAR_PLURALS.update({"knife": "knives", "leaf": "leaves", "fisherman": "fishermen"})
_DOUBLED = {"sit", "run", "win", "cut", "hop", "swim"}
_WHEN = "today now often always here again yesterday tomorrow sometimes quickly slowly never".split()
_ADVERBS = "very too quite so rather really".split()
_NUMBERS = "two three four many some five several seven ten".split()
_PREPOSITIONS = "in near behind at from".split()
_PRONOUNS = [("he", False), ("she", False), ("they", True), ("we", True), ("you", True), ("i", True)]


def sentences(rng, count):
    """`count` sentences as lists of words. rng: random.Random."""
    return [" ".join(_sentence(rng, _pick(rng, _SCENES))).split() for _ in range(count)]


def _sentence(rng, scene):
    people, things, deeds, acts, places, qualities, moods = scene
    kind = rng.random()
    where = f"{_pick(rng, _PREPOSITIONS)} the {_pick(rng, places)}" if rng.random() < 0.4 else ""
    when = _pick(rng, _WHEN) if rng.random() < 0.25 else ""
    subject, plural = _subject(rng, people, moods)
    if kind < 0.45:
        return [subject, _verb(rng, _pick(rng, deeds), subject, plural), _noun(rng, things, qualities)[0], where, when]
    if kind < 0.6:
        return [subject, _verb(rng, _pick(rng, acts), subject, plural), where, when]
    if kind < 0.7:
        thing, plural = _noun(rng, things, qualities)
        return ["there", "are" if plural else "is", thing, where or when]
    if kind < 0.8:
        mood = _pick(rng, moods)
        adverb = _pick(rng, _ADVERBS) if rng.random() < 0.5 else ""
        return [subject, _be(subject, plural), adverb, mood, when]
    if kind < 0.9:
        wants = "want" if plural or subject == "i" else "wants"
        return [subject, wants, "to", _pick(rng, deeds), _noun(rng, things, qualities)[0], where]
    other, others = _subject(rng, people, moods)
    link = _pick(rng, ("and", "but", "because", "when"))
    first = [subject, _verb(rng, _pick(rng, acts), subject, plural), link]
    return first + [other, _verb(rng, _pick(rng, deeds), other, others), _noun(rng, things, qualities)[0]]


def _subject(rng, people, moods):
    """Return (text, whether it is plural)."""
    return _pick(rng, _PRONOUNS) if rng.random() < 0.25 else _noun(rng, people, moods)


def _noun(rng, nouns, qualities):
    """Return (a noun with its article and maybe an adjective, whether it is plural)."""
    noun, plural = _pick(rng, nouns), rng.random() < 0.3
    quality = _pick(rng, qualities) + " " if rng.random() < 0.35 else ""
    if plural:
        return "{} {}{}".format(_pick(rng, ["the"] + _NUMBERS), quality, _plural(noun)), True
    article = _pick(rng, ("the", "a", "this", "my", "his", "her", "that", "every"))
    if article == "a" and (quality or noun)[0] in "aeiou":
        article = "an"
    return f"{article} {quality}{noun}", False


def _verb(rng, verb, subject, plural):
    form = rng.random()
    if form < 0.4:
        return f"{_be(subject, plural)} {_ing(verb)}"
    if form < 0.6:
        return "{} {}".format(_pick(rng, ("will", "can", "must", "should")), verb)
    return verb if plural else _s(verb)


def _be(subject, plural):
    return "am" if subject == "i" else "are" if plural else "is"


def _plural(noun):
    return _IRREGULAR_PLURALS.get(noun) or _s(noun)


def _s(word):
    if word[-1] == "y" and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "sh", "ch", "x", "o")) and word not in ("piano", "photo") else "s")


def _ing(verb):
    if verb.endswith("e"):
        return verb[:-1] + "ing"
    return verb + (verb[-1] if verb in _DOUBLED else "") + "ing"


def _pick(rng, items):
    """One of a list, the k-th with a chance of 1 / (k + 2)."""
    return rng.choices(items, [1 / (place + 2) for place in range(len(items))])[0]


if __name__ == "__main__":
    for words in sentences(random.Random(), 20):
        print(" ".join(words))
