"""What several of these test files need."""

import pytest

from tests.tasks.in_process import translate


@pytest.fixture(scope="session")
def checkpoint(data_folder, tmp_path_factory):
    """A checkpoint of crossinit_unmt, of two updates."""
    folder = tmp_path_factory.mktemp("translation")
    translate(data_folder, folder, "--max-update 2 --disable-validation")
    return folder / "checkpoint_last.pt"
