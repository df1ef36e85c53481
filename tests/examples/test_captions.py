"""examples/captions: its programs; an induced lexicon lets translation be learnt, a random table does not."""

import collections
import gzip
import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.lexicon.lexicon_file import BACKWARD, FORWARD, MUTUAL, Lexicon, Pair
from tests import program_server
from tests.programs import modules_of, run

ROOT = Path(__file__).parents[2]
CAPTIONS = ROOT / "examples" / "captions"
MULTI30K = ROOT.parent / "shared" / "data" / "multi30k"
MARGIN = 25  # BLEU; measured: 44.7 and 44.7 from the lexicon, 4.4 and 4.0 from a random table
sacremoses = pytest.importorskip("sacremoses", reason="needs pip install sacremoses")


def program(name, folder=CAPTIONS):
    """A program of the example, as a module."""
    return modules_of(folder, name)[0]


def lines(path):
    return path.read_text("utf-8").splitlines()


def write_sets(folder, sets):
    folder.mkdir(exist_ok=True)
    for (name, language), sentences in sets.items():
        (folder / f"{name}.{language}").write_text("".join(line + "\n" for line in sentences), encoding="utf-8")
    return folder


def small_sets(train=200, val=12, test=0):
    """Lines that say which they are: "Line 7 of train, it's EN here."."""
    counts = {"train": train, "val": val, "test": test}
    return {
        (name, language): [f"Line {k} of  {name}, it\u2019s {language.upper()} here." for k in range(1, count + 1)]
        for name, count in counts.items()
        if count
        for language in ("en", "fr")
    }


def write_text(out, folder, *options):
    return run(sys.executable, CAPTIONS / "text.py", "--text", folder, "--langs", "en,fr", "--out", out, *options)


def test_no_line_is_in_both_halves(tmp_path):
    sets = small_sets()
    done = write_text(tmp_path / "out", write_sets(tmp_path / "in", sets), "--dev", 5)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    numbers = {language: [int(line) for line in lines(out / ("lines." + language))] for language in ("en", "fr")}
    assert sorted(numbers["en"] + numbers["fr"]) == list(range(1, 201)) and len(numbers["en"]) == 100
    for language in ("en", "fr"):
        aligned, half = lines(out / ("aligned." + language)), lines(out / ("mono." + language))
        assert half == [aligned[number - 1] for number in numbers[language]]
        # what the files say themselves, against the numbers
        assert [int(line.split()[1]) for line in half] == numbers[language]
    # Moses: French elides (it' s), English keeps the apostrophe with what follows (it 's)
    assert lines(out / "aligned.en")[6] == "line 7 of train , it 's en here ."
    assert lines(out / "aligned.fr")[6] == "line 7 of train , it' s fr here ."
    # odd and even lines are like ones in both halves: Multi30k's odd captions are short and its even ones long
    odd = sum(number % 2 for number in numbers["en"])
    assert 35 <= odd <= 65


def test_dev_and_test_are_parts_of_val_where_there_is_no_test(tmp_path):
    write_text(tmp_path / "out", write_sets(tmp_path / "in", small_sets(val=12)), "--dev", 5)
    out = tmp_path / "out"
    assert [line.split()[1] for line in lines(out / "dev.en")] == "1 2 3 4 5".split()
    assert [line.split()[1] for line in lines(out / "test.fr")] == "6 7 8 9 10 11 12".split()
    assert lines(out / "reference.fr")[0] == "line 6 of val, it's fr here."


def test_a_test_set_is_taken_whole(tmp_path):
    done = write_text(tmp_path / "out", write_sets(tmp_path / "in", small_sets(val=12, test=4)), "--dev", 5)
    assert done.returncode == 0 and "4 to translate" in done.stdout
    assert len(lines(tmp_path / "out" / "dev.en")) == 12 and len(lines(tmp_path / "out" / "test.en")) == 4
    assert lines(tmp_path / "out" / "reference.en")[3] == "line 4 of test, it's en here."


@pytest.mark.parametrize(
    "change, told",
    [
        ({("val", "fr"): ["une"]}, "val.en 12 and val.fr 1 lines: line k of one must translate line k of the other"),
        ({("test", "fr"): ["une"]}, "test.en cannot be read (No such file or directory)"),
        ({("train", "en"): ["one"], ("train", "fr"): ["un"]}, "train.en has fewer than 100 lines"),
        ({("val", "en"): ["one"], ("val", "fr"): ["un"]}, "val.en has no more than 5 lines, all for dev"),
    ],
)
def test_bad_text_is_one_sentence(tmp_path, change, told):
    done = write_text(tmp_path / "out", write_sets(tmp_path / "in", {**small_sets(), **change}), "--dev", 5)
    assert done.returncode == 1 and told in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_text_that_is_not_utf_8_is_told(tmp_path):
    folder = write_sets(tmp_path / "in", small_sets())
    (folder / "train.fr").write_bytes("caf\xe9\n".encode("latin-1") * 200)
    done = write_text(tmp_path / "out", folder)
    assert done.returncode == 1 and "train.fr is not UTF-8" in done.stderr and done.stderr.count("\n") == 1


def test_real_captions_survive_tokenising():
    """What Moses cuts, it joins again: so a translation is scored as text against text."""
    if not MULTI30K.is_dir():
        pytest.skip("needs ../shared/data/multi30k")
    import sacrebleu

    text = program("text")
    for language in ("en", "fr", "de"):
        known, cut = text.read(str(MULTI30K), "val", language), text.tokeniser(language)
        moses = sacremoses.MosesDetokenizer(language)
        joined = [moses.detokenize(cut(line).split()) for line in known]
        assert sacrebleu.corpus_bleu(joined, [known]).score > 99.8


def test_download_is_unpacked_and_asked_for_once(tmp_path, monkeypatch):
    multi30k, asked = program("multi30k"), []

    def fetch(url, path, size, sha256):
        asked.append((url.rsplit("/", 1)[1], size, sha256))
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_bytes(gzip.compress(b"a caption\n"))

    monkeypatch.setattr(multi30k, "fetch", fetch)
    for _ in range(2):
        multi30k.main(["--langs", "en,fr", "--out", str(tmp_path / "out")])
    names = ["train", "val", "test_2016_flickr"]
    assert [name for name, _, _ in asked] == [f"{name}.{lang}.gz" for lang in ("en", "fr") for name in names]
    assert asked[0][1:] == (568929, "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        f"{name}.{language}" for name in ("train", "val", "test") for language in ("en", "fr")
    )
    with pytest.raises(SystemExit, match="Multi30k has no 'ro'"):
        multi30k.main(["--langs", "en,ro", "--out", str(tmp_path / "out")])


def test_oracle_takes_the_best_of_each_word(tmp_path):
    # dog and chien stand together in all of 6 sentences; the is le 6 times and la 3 times, of which le is the better
    # one
    source = ["the dog sleeps", "the dog eats", "the dog runs"] * 2 + ["the cow sleeps"] * 3 + ["I run", "I eat"] * 3
    target = (
        ["le chien dort", "le chien mange", "le chien court"] * 2 + ["la vache dort"] * 3 + ["je cours", "je mange"] * 3
    )
    found = {pair[:2]: pair for pair in program("oracle").pairs_of(source, target, ("en", "fr"))}
    assert found["dog", "chien"] == Pair("dog", "chien", 1.0, (6, 6), MUTUAL)
    # Dice over sentences: 2 * 6 / (9 + 6)
    assert found["the", "le"] == Pair("the", "le", 0.8, (9, 6), MUTUAL)
    assert found["cow", "vache"].found == MUTUAL and found["sleeps", "dort"].found == MUTUAL
    # mange is eat 3 times and eats twice: 2 * 3 / (3 + 5) and 2 * 2 / (2 + 5)
    assert found["eat", "mange"] == Pair("eat", "mange", 0.75, (3, 5), MUTUAL)
    assert found["eats", "mange"] == Pair("eats", "mange", 4 / 7, (2, 5), FORWARD)


def test_cipher_hides_every_string_and_is_undone(tmp_path):
    text = "l' homme et la femme , 2 chiens !\nla femme .\n"
    options = ["text", "--lang", "fr", "--cipher", str(tmp_path / "cipher.tsv")]
    done = subprocess.run(
        [sys.executable, str(CAPTIONS / "cipher.py")] + options, input=text, stdout=subprocess.PIPE, encoding="utf-8"
    )
    hidden = done.stdout.split()
    assert [word for word in hidden if word in text.split()] == [",", "!", "."]
    # la femme, both times
    assert hidden[3:5] == hidden[9:11] and len(hidden) == len(text.split())
    secret = dict(line.split("\t") for line in lines(tmp_path / "cipher.tsv"))
    assert sorted(secret) == sorted("l homme et la femme 2 chiens".split()) and len(set(secret.values())) == 7
    Lexicon("en", "fr", [Pair("woman", secret["femme"], 0.5, (3, 2), BACKWARD)], {"lowercase": "yes"}).save(
        str(tmp_path / "in.tsv")
    )
    arguments = ["--cipher", str(tmp_path / "cipher.tsv"), str(tmp_path / "in.tsv"), str(tmp_path / "out.tsv")]
    program("cipher").main(["lexicon", "--langs", "en,fr"] + arguments)
    found = Lexicon.load(str(tmp_path / "out.tsv"), ("en", "fr"))
    assert found.pairs == [Pair("woman", "femme", 0.5, (3, 2), BACKWARD)] and found.lowercase
    with pytest.raises(InputError, match="'femme' is not in the cipher"):
        program("cipher").decipher(found, {})


def test_given_pairs_are_the_most_frequent_mutual_ones(tmp_path, capsys):
    pairs = [
        Pair("dog", "chien", 1.0, (5, 5)),
        Pair("a", "un", 0.9, (50, 40)),
        Pair("a", "une", 0.8, (50, 20), BACKWARD),
        Pair("rare", "rare", 0.9, (9, 9)),
    ]
    Lexicon("en", "fr", pairs).save(str(tmp_path / "oracle.tsv"))
    (tmp_path / "cipher.tsv").write_text("chien\tbabo\nun\tkeki\n", encoding="utf-8")
    given = ["--lexicon", str(tmp_path / "oracle.tsv")]
    program("given").main(given + ["--pairs", "2"])
    assert capsys.readouterr().out == "a\tun\nrare\trare\n"
    # `rare` was not enciphered, so it is no word of the other language's half
    program("given").main(given + ["--pairs", "2", "--cipher", str(tmp_path / "cipher.tsv")])
    assert capsys.readouterr().out == "a\tkeki\ndog\tbabo\n"
    with pytest.raises(SystemExit, match="3 mutual pairs, fewer than --pairs 4"):
        program("given").main(given + ["--pairs", "4"])


def score_file(folder, direction, bleu):
    folder.mkdir(parents=True, exist_ok=True)
    scores = [{"name": "BLEU", "score": bleu, "signature": "x"}, {"name": "chrF2", "score": 30.0, "signature": "y"}]
    (folder / (direction + ".json")).write_text(json.dumps(scores), encoding="utf-8")


def test_summary_worked_by_hand(tmp_path, capsys):
    for direction in ("en-fr", "fr-en"):
        score_file(tmp_path / "copying", direction, 0.5)
        for init, seed, bleu in (("random", 1, 3.0), ("random", 2, 5.0), ("lexicon", 1, 14.0), ("lexicon", 2, 15.0)):
            score_file(tmp_path / "runs" / f"{init}-{seed}" / "score", direction, bleu)
    for seed, right in ((1, 0.8), (2, 0.9)):
        folder = tmp_path / "runs" / f"lexicon-{seed}"
        for direction in ("en-fr", "fr-en"):
            score_file(folder / "word_by_word", direction, 7.0)
        (folder / "lexicon").mkdir()
        evaluation = {"pairs": 9, "mutual_pairs": 1600 + seed, "token_precision": right}
        (folder / "lexicon" / "evaluation.json").write_text(json.dumps(evaluation), encoding="utf-8")
        (folder / "stages").mkdir()
        (folder / "stages" / "translation.minutes").write_text("10.5\n")
    options = ["--out", str(tmp_path), "--langs", "en,fr", "--inits", "random,lexicon", "--seeds", "1,2"]
    program("summary").main(options + ["--preset", "default"])
    summary = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert summary["runs"][3]["bleu"] == {"en-fr": 15.0, "fr-en": 15.0} and summary["runs"][3]["minutes"] == 10.5
    assert [(run["init"], run["seed"]) for run in summary["runs"]] == list(
        itertools.product(("random", "lexicon"), (1, 2))
    )
    assert summary["copying"] == {"en-fr": 0.5, "fr-en": 0.5} and summary["word_by_word"]["en-fr"] == 7.0
    assert summary["lexicon"] == {"pairs": 1601.5, "token_precision": pytest.approx(0.85)}
    told = capsys.readouterr().out
    # (3 - 4)^2 + (5 - 4)^2 over n - 1: the square root of 2
    assert "4.00 +- 1.41" in told and "14.50 +- 0.71" in told and "1,602 mutual pairs, 90.0 % of them right" in told
    assert "iteration 1, Wikipedia's fastText" in told


@pytest.mark.parametrize(
    "options, told",
    [
        (["--langs", "en"], "--langs is two languages"),
        (["--langs", "en,en"], "--langs is two languages"),
        (["--langs", "en,../x"], "--langs: ../x is no language code"),
        (["--preset", "huge"], "--preset is smoke, default or long"),
        (["--inits", "random,zero"], "--inits names random, crossinit, lexicon, oracle, FILE.vec"),
        (["--inits", ","], "--inits names nothing"),
        (["--seeds", "1,x"], "--seeds takes numbers"),
        (["--text", "/nowhere"], "no folder /nowhere"),
        (["--vocabulary", "big"], "--vocabulary is a number"),
        (["--updates", "0"], "--updates is a number"),
        (["--jobs", "0"], "--jobs is a number"),
        (["--wrong", "1"], "unknown option --wrong"),
    ],
)
def test_wrong_options_are_told_before_anything_runs(options, told):
    done = run("bash", CAPTIONS / "run.sh", *options)
    assert done.returncode == 2 and told in done.stderr and done.stdout == ""


@pytest.mark.parametrize(
    "options, told",
    [
        (["--variants", "full,half"], "there is no half"),
        (["--variants", "seeds-0"], "there is no seeds-0"),
        (["--out", "/nowhere"], "/nowhere holds no text in fr; run examples/captions/run.sh"),
    ],
)
def test_wrong_options_of_the_ablations_are_told(options, told):
    done = run("bash", CAPTIONS / "ablations.sh", *options)
    assert done.returncode == 2 and told in done.stderr and done.stdout == ""


def enciphered_captions(folder):
    """Aligned toy English (examples/cipher/grammar.py) and a cipher of it, which keeps one word in eight as it is."""
    rng = random.Random(1)
    grammar = program("grammar", ROOT / "examples" / "cipher")
    sentences = [words for words in grammar.sentences(rng, 110000) if 4 <= len(words) <= 12]
    counts = collections.Counter(word for words in sentences for word in words)
    known = [word for word, _ in counts.most_common(300)]
    sentences = list(dict.fromkeys(tuple(words) for words in sentences if set(words) <= set(known)))
    assert len(sentences) >= 16260
    got = program("cipher").made_up_words(rng, len(known))
    cipher = {word: word if place % 8 == 5 else secret for place, (word, secret) in enumerate(zip(known, got))}
    sets = {}
    for name, first, last in (("train", 0, 16000), ("val", 16000, 16060), ("test", 16060, 16260)):
        sets[name, "en"] = [" ".join(words) for words in sentences[first:last]]
        sets[name, "el"] = [" ".join(cipher[word] for word in words) for words in sentences[first:last]]
    return write_sets(folder, sets)


def test_learns_to_translate_with_an_induced_lexicon_only(tmp_path):
    """From text alone a lexicon that is mostly right, and with it a score that a random table does not come near to.

    That shows after half of the preset's updates.
    """
    text = enciphered_captions(tmp_path / "text")
    done = run(
        *["bash", CAPTIONS / "run.sh", "--langs", "en,el", "--text", text, "--vocabulary", 900, "--preset", "smoke"],
        *["--inits", "random,lexicon", "--jobs", 1, "--out", tmp_path / "out"],
        VENV=program_server.environment(),
        MAX_UPDATE="120",
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    print(summary)
    assert summary["lexicon"]["token_precision"] > 0.7
    runs = {run["init"]: run for run in summary["runs"]}
    for direction in ("en-el", "el-en"):
        others = [summary["copying"][direction], runs["random"]["bleu"][direction]]
        assert runs["lexicon"]["bleu"][direction] >= max(others) + MARGIN
