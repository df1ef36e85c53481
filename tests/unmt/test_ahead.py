"""crossinit_fairseq/unmt/ahead.py"""

import torch

from crossinit_fairseq.data.datasets.update_groups import UpdateGroups
from crossinit_fairseq.unmt.ahead import TranslationsAhead, Written

SOURCE, OTHER = torch.tensor([[5, 2, 1], [6, 7, 2]]), torch.tensor([[5, 2, 1], [6, 8, 2]])
WRITTEN = Written(torch.tensor([[9, 2], [8, 2]]), 0.5)


def kept_of(*items, processes=1):
    ahead = TranslationsAhead()
    ahead.begin_epoch(UpdateGroups(processes, 4), 1)
    ahead.replace({item: {0: (SOURCE, WRITTEN)} for item in items}, exchanged=True)
    return ahead


def test_a_translation_is_given_for_its_sentences_alone():
    ahead = kept_of(3)
    translation, seconds = ahead.take(3, 0, SOURCE)
    assert translation.tolist() == WRITTEN.translation.tolist() and translation.dtype == torch.long and seconds == 0.5
    assert ahead.take(3, 1, SOURCE) is None and ahead.take(2, 0, SOURCE) is None
    assert ahead.take(3, 0, OTHER) is None and ahead.take(3, 0, SOURCE[:1]) is None


def test_what_training_is_through_with_is_forgotten_for_all_processes():
    ahead = kept_of(0, 1, 2, 3, 4, processes=2)
    ahead.forget(2)  # process 0 is through with its second item, and so is process 1 with item 3
    assert list(ahead.state_dict()) == [4]


def test_a_checkpoint_gives_back_what_was_kept():
    ahead, other = kept_of(4, 5), TranslationsAhead()
    other.load_state_dict(ahead.state_dict())
    assert other.take(5, 0, SOURCE).translation.tolist() == WRITTEN.translation.tolist()
    # small numbers, and no view of the large tensor that they were cut from
    translation = ahead.state_dict()[4][0]["translation"]
    assert translation.dtype == torch.int32 and len(translation.storage()) == 4


def test_a_new_group_takes_the_place_of_the_last():
    ahead = kept_of(0, 1)
    ahead.replace({8: {0: (SOURCE, WRITTEN)}}, exchanged=False)
    assert list(ahead.state_dict()) == [8]
