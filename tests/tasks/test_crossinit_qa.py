"""crossinit_fairseq/tasks/crossinit_qa.py: the windows that answers are read from, and the questions of a file."""

import json
from types import SimpleNamespace

import pytest
import torch

from crossinit_fairseq.errors import InputError
from crossinit_fairseq.finetuning.qa_files import Question
from crossinit_fairseq.finetuning.questions import Windowing
from crossinit_fairseq.tasks.crossinit_qa import CrossInitQaConfig, CrossInitQaTask
from tests.finetuning import toy


class Copier(torch.nn.Module):
    """Says that the answer is where the paragraph has the tokens of the question."""

    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))
        self.asked_in = set()  # languages of first tokens

    def forward(self, src_tokens, src_lengths, language_ids):
        self.asked_in |= set(language_ids[:, 0].tolist())
        scores = torch.zeros(*src_tokens.shape, 2)
        for row, tokens in enumerate(src_tokens.tolist()):
            asked = tokens[1 : tokens.index(2)]
            for place in range(len(asked) + 2, len(tokens) - len(asked) + 1):
                if asked and tokens[place : place + len(asked)] == asked:
                    scores[row, place, 0] = scores[row, place + len(asked) - 1, 1] = 30
        return scores, None


def test_a_stride_over_the_room_of_a_window_is_refused():
    with pytest.raises(InputError, match="28 at most.*--max-length 96 less --max-question-length 64 and 4 special"):
        Windowing(96, 64, 29).check()
    Windowing(96, 64, 28).check()


@pytest.mark.parametrize("stride", [1, 7, 26])
def test_a_copied_answer_is_found_across_a_stride(tmp_path, stride, caplog):
    """Wherever it stands in a paragraph of many windows; its text is that of the paragraph, spaces and all."""
    cfg = CrossInitQaConfig(
        data=str(toy.data_folder(tmp_path)), max_length=40, max_question_length=10, doc_stride=stride
    )
    cfg.seed, cfg.train_subset = 1, "train"
    task = CrossInitQaTask.setup_task(cfg)
    words = [f"a{k}" for k in range(24)] + [f"b{k}" for k in range(24)]
    context = "\u2003 ".join(words)
    questions = [Question(str(k), context, f"{words[k]} {words[k + 1]}", ()) for k in range(len(words) - 1)]
    model = Copier()
    answers = task.predict(model, questions, "aa", "bb", max_tokens=500)
    assert model.asked_in == {1}  # the question is of bb
    assert answers == {str(k): f"{words[k]}\u2003 {words[k + 1]}" for k in range(len(words) - 1)}
    assert not caplog.records
    task.cfg.max_answer_length = 1
    assert {len(text.split()) for text in task.predict(Copier(), questions[:3], "aa").values()} == {1}
    assert task.predict(Copier(), [Question("x", "", "a1", ()), Question("y", "a1", " ", ())], "aa")["x"] == ""
    assert "aa: of 2 of 2 questions, or of their paragraphs, no token is left" in caplog.text


def test_questions_in_another_script_are_said(tmp_path, caplog):
    asked = {"id": "1", "question": "which house", "answers": []}
    path = tmp_path / "qa.json"
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": "a house", "qas": [asked]}]}]}), "utf-8")
    with pytest.raises(InputError, match="has no answer to validate with"):
        CrossInitQaTask.evaluation_examples(SimpleNamespace(), "ne", str(path))
    assert "qa.json, paragraphs: most letters are Latin: is this text ne?" in caplog.text
    caplog.clear()
    encoder = SimpleNamespace(training_windows=lambda *unused: [])
    with pytest.raises(InputError):  # of no windows
        CrossInitQaTask.training_examples(SimpleNamespace(train_files=[("ne", str(path))], encoder=encoder))
    assert "qa.json, questions: most letters are Latin: is this text ne?" in caplog.text
