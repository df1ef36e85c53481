"""The library transformers, imported so that it works in this environment and keeps off the network."""

import importlib.util
import sys

from crossinit_fairseq.errors import InputError


def import_transformers():
    """Return the module transformers. Raises InputError when it is not installed.

    ve-fairseq installs torchaudio from PyPI, which does not load beside a CPU build of torch, and transformers >= 5
    imports torchaudio if it is there at all. No speech is needed here: one that does not load counts as not installed.
    """
    if "torchaudio" not in sys.modules and importlib.util.find_spec("torchaudio") is not None:
        try:
            import torchaudio  # noqa: F401
        except (ImportError, OSError):
            sys.modules["torchaudio"] = None
    try:
        import transformers
    except ImportError as error:
        raise InputError(
            "Hugging Face models need a library: pip install 'crossinit_fairseq[export]' ({})".format(
                str(error).split("\n")[0]
            )
        ) from None
    transformers.utils.logging.disable_progress_bar()
    return transformers
