"""A folder of real but small text in English, Romanian, Nepali and Hindi for tests of the translation recipes."""

import itertools
import os
import random

# subject, what it does, where, when; line k of one language translates line k of the others
_PARTS = {
    "en": (
        "The teacher|My brother|The old doctor|Our neighbour|The young farmer|The student|Her grandmother|"
        "The blacksmith|A foreign merchant|The tired soldier|His daughter|The famous writer",
        "reads a book|writes a letter|drinks cold water|eats fresh bread|sings a song|sees the mountain|"
        "buys red apples|repairs the window|tells a long story|looks for the key|cooks rice|draws a picture",
        "in the house|in the garden|at the school|in the big city|near the river|in the village|under the tree|"
        "behind the temple|on the bridge|at the market|in the kitchen|beside the lake",
        "in the morning|in the evening|every day|today|tomorrow|on Sunday|in winter|after the rain",
    ),
    "ro": (
        "Profesorul|Fratele meu|Doctorul bătrân|Vecinul nostru|Tânărul țăran|Studentul|Bunica ei|Fierarul|"
        "Un negustor străin|Soldatul obosit|Fiica lui|Scriitorul vestit",
        "citește o carte|scrie o scrisoare|bea apă rece|mănâncă pâine proaspătă|cântă un cântec|vede muntele|"
        "cumpără mere roșii|repară fereastra|spune o poveste lungă|caută cheia|gătește orez|desenează un tablou",
        "în casă|în grădină|la școală|în orașul mare|lângă râu|în sat|sub copac|"
        "în spatele templului|pe pod|la piață|în bucătărie|pe malul lacului",
        "dimineața|seara|în fiecare zi|astăzi|mâine|duminică|iarna|după ploaie",
    ),
    "ne": (
        "शिक्षक|मेरो भाइ|बूढो डाक्टर|हाम्रो छिमेकी|जवान किसान|विद्यार्थी|उनकी हजुरआमा|कामी|"
        "विदेशी व्यापारी|थाकेको सिपाही|उसकी छोरी|प्रसिद्ध लेखक",
        "किताब पढ्छ|चिठी लेख्छ|चिसो पानी पिउँछ|ताजा रोटी खान्छ|गीत गाउँछ|हिमाल देख्छ|रातो स्याउ किन्छ|"
        "झ्याल बनाउँछ|लामो कथा सुनाउँछ|साँचो खोज्छ|भात पकाउँछ|चित्र कोर्छ",
        "घरमा|बगैंचामा|विद्यालयमा|ठूलो सहरमा|खोलाको नजिक|गाउँमा|रूखमुनि|मन्दिरको पछाडि|पुलमाथि|बजारमा|भान्सामा|तालको छेउमा",
        "बिहान|बेलुका|हरेक दिन|आज|भोलि|आइतबार|जाडोमा|पानी परेपछि",
    ),
    "hi": (
        "अध्यापक|मेरा भाई|बूढ़ा डॉक्टर|हमारा पड़ोसी|जवान किसान|छात्र|उसकी दादी|लोहार|"
        "विदेशी सौदागर|थका हुआ सैनिक|उसकी बेटी|मशहूर लेखक",
        "किताब पढ़ता है|चिट्ठी लिखता है|ठंडा पानी पीता है|ताज़ी रोटी खाता है|गाना गाता है|पहाड़ देखता है|लाल सेब ख़रीदता है|"
        "खिड़की बनाता है|लंबी कहानी सुनाता है|चाबी ढूँढता है|चावल पकाता है|तस्वीर बनाता है",
        "घर में|बगीचे में|विद्यालय में|बड़े शहर में|नदी के पास|गाँव में|पेड़ के नीचे|मंदिर के पीछे|पुल पर|बाज़ार में|रसोई में|झील के किनारे",
        "सुबह|शाम को|हर दिन|आज|कल|रविवार को|सर्दियों में|बारिश के बाद",
    ),
}
_ORDER = {"en": (0, 1, 2, 3), "ro": (3, 0, 1, 2), "ne": (0, 3, 2, 1), "hi": (0, 3, 2, 1)}
_END = {"en": ".", "ro": ".", "ne": " ।", "hi": " ।"}


def sentences(language, numbers):
    """The sentences of the given numbers (0 to 13,823) in a language, aligned between languages."""
    parts = [part.split("|") for part in _PARTS[language]]
    choices = list(itertools.product(*(range(len(part)) for part in parts)))
    lines = []
    for number in numbers:
        words = [parts[place][choices[number][place]] for place in _ORDER[language]]
        line = " ".join(words)
        lines.append(line[0].upper() + line[1:] + _END[language])
    return lines


def write_folder(folder, languages, test, lines=500, test_lines=40, seed=0, leaked=0):
    """Write mono/toy.LANG.txt (never the same sentences in two languages) and the aligned test set `test`, which is
    kept out, but for its first `leaked` lines, which stand in the monolingual text of its languages too, with another
    punctuation."""
    numbers = list(range(12 * 12 * 12 * 8))
    random.Random(seed).shuffle(numbers)
    held_out, rest = numbers[:test_lines], numbers[test_lines:]
    os.makedirs(os.path.join(folder, "mono"))
    os.makedirs(os.path.join(folder, "test"))
    pair = test.rsplit(".", 1)[-1].split("-")
    for place, language in enumerate(languages):
        text = sentences(language, rest[place * lines :][:lines])
        if language in pair:
            text += [line + " !" for line in sentences(language, held_out[:leaked])]
        _write(os.path.join(folder, "mono", f"toy.{language}.txt"), text)
    for language in pair:
        _write(os.path.join(folder, "test", f"{test}.{language}"), sentences(language, held_out))


def _write(path, lines):
    with open(path, "w", encoding="utf-8") as stream:
        stream.writelines(line + "\n" for line in lines)
