"""crossinit_unmt with a lexicon: word-by-word sources, words replaced in denoising, and a table that is held still."""

import shutil

import numpy as np
import pytest
import torch

from crossinit_fairseq.generation.search import Search
from crossinit_fairseq.tasks.crossinit_unmt import CrossInitUnmtTask
from crossinit_fairseq.tasks.crossinit_unmt_config import CrossInitUnmtConfig
from tests.conftest import WORDS, load, weights
from tests.helpers import is_kept
from tests.tasks.in_process import run, translate
from tests.tasks.unmt_training import Training

TABLE = "encoder.embed_tokens.weight"
BOS, PAD, EOS = 0, 1, 2


def word(language, k):
    """The k-th word of tests.conftest.toy_sentences."""
    return "{}{}{}".format(language[0], k, {3: "s", 10: "t"}.get(k % 14, ""))


def write_lexicon(path, source, target):
    """Every word with the other language's word of its number."""
    lines = [f"{word(source, k)}\t{word(target, k)}\n" for k in range(WORDS)]
    path.write_text(f"# languages: {source} {target}\n" + "".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory):
    return write_lexicon(tmp_path_factory.mktemp("lexicon") / "aa-bb.tsv", "aa", "bb")


def by_word(batch, task, source, target):
    """A batch's source, translated the slow way; in these texts a word of each language has the same sub-tokens but for
    the letter it begins with."""
    rows = []
    for row in batch["clean"]:
        symbols = [task.dictionary[int(token)] for token in row if token not in (PAD, EOS)]
        symbols = [symbol.replace("\u2581" + source[0], "\u2581" + target[0]) for symbol in symbols]
        tokens = [task.dictionary.index(symbol) for symbol in symbols]
        rows.append([BOS] + tokens + [EOS, task.special_tokens.languages[target]])
    return rows


def as_rows(tokens):
    return [[token for token in row if token != PAD] for row in tokens.tolist()]


def test_the_first_updates_learn_from_word_by_word_sources(data_folder, lexicon):
    training = Training(data_folder, langs="aa,bb", lexicon=f"bb-aa={lexicon}", lexicon_bt_updates=2)
    task, item = training.task, training.data[0]
    batches, no_model = item["batches"], None
    requests = [
        task.back_translation.request(batch, other, False, (1, 0)) for batch, other in zip(batches, ("bb", "aa"))
    ]
    for update in (0, 1):
        got = task.back_translation.samples(no_model, batches, requests, update)
        for batch, request, (sample, counts) in zip(batches, requests, got):
            expected = by_word(batch, task, batch["language"], request.language)
            assert as_rows(sample["net_input"]["src_tokens"]) == expected
            assert torch.equal(sample["target"], task.special_tokens.add_to_batch(batch["clean"], batch["language"]))
            assert counts["in_target"] == counts["written"] and counts["sentences"] == 8
    got = task.back_translation.samples(training.model, batches, requests, 2)
    assert as_rows(got[0][0]["net_input"]["src_tokens"]) != by_word(batches[0], task, "aa", "bb")
    with pytest.raises(AttributeError):
        task.back_translation.samples(no_model, batches, requests, 2)


def test_other_directions_are_the_models(three_languages, lexicon, monkeypatch):
    training = Training(three_languages, lexicon=f"aa-bb={lexicon}", lexicon_bt_updates=1)
    asked, search = [], Search.__call__

    def record(self, model, requests, *unused):
        asked.append([request.language for request in requests])
        return search(self, model, requests, *unused)

    monkeypatch.setattr(Search, "__call__", record)
    for update in (0, 1):
        training.step(0, update)
    assert training.generated[:3] == [("aa", "bb", False), ("bb", "aa", False), ("cc", "aa", False)]
    # of the first update, cc into aa alone
    assert asked == [["aa"], ["bb", "aa", "aa"]]


def test_a_lexicon_gives_no_alarm(data_folder, lexicon):
    training = Training(data_folder, langs="aa,bb", lexicon=f"aa-bb={lexicon}", lexicon_bt_updates=1)
    for update in (0, 1):
        _, _, logs = training.step(0, update)
        training.task.back_translation.log(training.task.directions.generated(), [logs], update)
        assert bool(training.task.back_translation.monitor.batches) == (update == 1)


def test_noise_of_the_word_by_word_sources_is_drawn_from_the_update(data_folder, lexicon):
    options = dict(langs="aa,bb", lexicon=f"aa-bb={lexicon}", lexicon_bt_updates=9, word_blanking_prob=0.3)
    training = Training(data_folder, lexicon_bt_noise=True, **options)
    batch, mask = training.data[0]["batches"][0], training.task.mask

    def source(*seed):
        back_translation = training.task.back_translation
        request = back_translation.request(batch, "bb", False, seed)
        ((sample, _),) = back_translation.samples(None, [batch], [request], 0)
        return as_rows(sample["net_input"]["src_tokens"])

    assert source(1, 0, 0, 0) == source(1, 0, 0, 0) != source(1, 1, 0, 0)
    clean = by_word(batch, training.task, "aa", "bb")
    assert any(mask in row for row in source(1, 0, 0, 0))
    assert all(set(row) <= set(whole) | {mask} for row, whole in zip(source(1, 0, 0, 0), clean))


def test_words_to_denoise_are_replaced_and_the_rest_is_as_without(data_folder, lexicon):
    options = dict(langs="aa,bb", max_word_shuffle_distance=0.0, word_dropout_prob=0.0)
    plain, mixed = (
        Training(data_folder, max_sentences=200, **more, **options)
        for more in ({}, {"lexicon": f"aa-bb={lexicon}", "lexicon_noise": 0.3})
    )
    a, b, replaced = plain.data[0], mixed.data[0], []
    letters = np.array([symbol[1:2] if symbol[0] == "\u2581" else "" for symbol in plain.task.dictionary.symbols])
    for one, other in zip(a["batches"], b["batches"]):
        assert torch.equal(one["clean"], other["clean"])
        assert torch.equal(one["denoise"]["target"], other["denoise"]["target"])
        sources = one["denoise"]["net_input"]["src_tokens"], other["denoise"]["net_input"]["src_tokens"]
        # every word has as many sub-tokens as its translation, so the blanks fall on the same places
        assert torch.equal(sources[0].eq(plain.task.mask), sources[1].eq(plain.task.mask))
        first = letters[sources[1].numpy()]
        own = one["language"][0]
        words = letters[sources[0].numpy()] == own
        assert set(first[words]) == {"a", "b"}
        replaced += (first[words] != own).tolist()
    # about 1,400 words: 4 standard deviations of their share are 0.05
    assert len(replaced) > 1000 and abs(np.mean(replaced) - 0.3) < 0.05


WITH = (
    "--lexicon aa-bb={} --lexicon-bt-updates 3 --lexicon-bt-noise --lexicon-noise 0.3 --freeze-table-updates 3 "
    "--save-interval-updates 1 --disable-validation --weight-decay 0.1"
)


@pytest.fixture(scope="module")
def whole(data_folder, lexicon, tmp_path_factory):
    """The checkpoints of five updates without a stop."""
    folder = tmp_path_factory.mktemp("whole")
    log = translate(data_folder, folder, WITH.format(lexicon), "--max-update 5").stdout
    assert "lexicon aa-bb: 60 pairs" in log
    return folder


def test_the_table_is_still_until_then(whole):
    tables = [weights(whole / f"checkpoint_1_{update}.pt") for update in (1, 2, 3, 4)]
    assert all(torch.equal(tables[0][TABLE], table[TABLE]) for table in tables[1:3])
    assert not torch.equal(tables[2][TABLE], tables[3][TABLE])
    others = [name for name in tables[0] if "fc1.weight" in name]
    assert others and all(not torch.equal(tables[0][name], tables[1][name]) for name in others)


@pytest.mark.parametrize("stop", [2, 3, 4])
def test_resuming_changes_no_bit(data_folder, lexicon, whole, tmp_path, stop):
    shutil.copy(str(whole / f"checkpoint_1_{stop}.pt"), str(tmp_path / "checkpoint_last.pt"))
    log = translate(data_folder, tmp_path, WITH.format(lexicon), "--max-update 5").stdout
    assert f"@ {stop} updates" in log
    one, other = (load(folder / "checkpoint_last.pt") for folder in (whole, tmp_path))
    assert all(torch.equal(one["model"][name], other["model"][name]) for name in one["model"] if is_kept(name))
    moments = [checkpoint["last_optimizer_state"]["state"] for checkpoint in (one, other)]
    assert moments[0].keys() == moments[1].keys()
    for number, state in moments[0].items():
        assert all(torch.equal(state[key], moments[1][number][key]) for key in ("exp_avg", "exp_avg_sq"))


def test_two_workers_make_what_none_makes(data_folder, lexicon, whole, tmp_path):
    translate(data_folder, tmp_path, WITH.format(lexicon), "--max-update 5 --num-workers 2")
    one, other = (weights(folder / "checkpoint_last.pt") for folder in (whole, tmp_path))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_translating_needs_no_lexicon(data_folder, whole, tmp_path):
    options = "--task crossinit_unmt -s aa -t bb --required-batch-size-multiple 1 --path"
    done = run("generate", [str(data_folder)], options, [str(whole / "checkpoint_last.pt")])
    assert done.returncode == 0 and "Translated 21 sentences" in done.stdout
    # the hub builds its task from the options of training
    config = CrossInitUnmtConfig()
    config.data, config.lexicon, config.lexicon_bt_updates = str(data_folder), str(tmp_path / "gone.tsv"), 9
    config.source_lang, config.target_lang = "aa", "bb"
    assert CrossInitUnmtTask.setup_task(config).lexicons.lexicons == {}


def test_options_that_cannot_be_used(three_languages, lexicon, tmp_path):
    strangers = tmp_path / "strangers.tsv"
    strangers.write_text("# languages: aa bb\nx\ty\n", encoding="utf-8")
    good = f"aa-bb={lexicon}"
    for options, told in (
        ({"lexicon_bt_updates": 5}, "--lexicon-bt-updates needs a lexicon"),
        ({"lexicon_noise": 0.1}, "--lexicon-noise needs a lexicon"),
        ({"lexicon": good}, "--lexicon changes nothing by itself"),
        ({"lexicon": good, "lexicon_noise": 1.5}, "--lexicon-noise is 1.5; it is a probability"),
        ({"lexicon": good, "lexicon_noise": float("nan")}, "--lexicon-noise is nan"),
        ({"lexicon": good, "lexicon_bt_updates": -1}, "--lexicon-bt-updates is -1"),
        ({"lexicon": good, "lexicon_noise": 0.1, "lexicon_bt_noise": True}, "--lexicon-bt-noise changes nothing"),
        ({"freeze_table_updates": -2}, "--freeze-table-updates is -2"),
        ({"word_dropout_prob": 1.5}, "--word-dropout-prob is 1.5; it is a probability"),
        ({"word_blanking_prob": -0.1}, "--word-blanking-prob is -0.1; it is a probability"),
        ({"max_word_shuffle_distance": -1.0}, "--max-word-shuffle-distance is -1.0; it must be 0 or more"),
        ({"bt_max_len_a": float("nan")}, "--bt-max-len-a is nan; it must be 0 or more"),
        ({"valid_round_trip": -1}, "--valid-round-trip is -1; it must be 0 or more"),
        ({"valid_samples": -1}, "--valid-samples is -1; it must be 0 or more"),
        (
            {"start_as_copier": True, "finetune_from_model": "table.pt"},
            "takes all of them from table.pt: give it to the run",
        ),
        ({"lexicon": good, "lexicon_noise": 0.1, "langs": "aa,cc"}, "aa-bb"),
        ({"lexicon": f"aa-cc={lexicon}", "lexicon_noise": 0.1}, "a lexicon of aa and bb, not of aa and cc"),
        ({"lexicon": f"aa-bb={strangers}", "lexicon_noise": 0.1}, "no pair of the lexicon aa-bb"),
    ):
        with pytest.raises(SystemExit, match="crossinit_fairseq: error: .*" + told):
            Training(three_languages, **options)
