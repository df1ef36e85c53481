"""Refuse, in words, a checkpoint whose embedding table does not fit the dictionary."""

from crossinit_fairseq.models.token_tables import find_token_tables


def check_dictionary_fits(model, dictionary, folder):
    """Make loading a checkpoint of another dictionary end with one sentence.

    fairseq's trainer hides the cause behind "please ensure that the architectures match" (all versions).
    """
    tables = find_token_tables(model, dictionary)

    def compare(state, prefix, *unused):
        for name in tables:
            rows = state[prefix + name].size(0) if prefix + name in state else len(dictionary)
            if rows != len(dictionary):
                raise SystemExit(
                    "crossinit_fairseq: error: the checkpoint's {} has {} rows but {}/dict.txt has {} symbols: it was trained with "
                    "another dictionary; all stages must share one".format(name, rows, folder, len(dictionary))
                )

    model._register_load_state_dict_pre_hook(compare)
