"""CrossInit for fairseq: embeddings aligned across languages by word-frequency rank before any pre-training.

`fairseq-train --user-dir crossinit_fairseq ...` loads this package; loading it registers the criterion `crossinit`, the tasks
`crossinit_pretrain`, `crossinit_mlm` and `crossinit_unmt` and the architectures `xlm_tiny_3`, `xlm_mlm_xnli15_1024` and
`xlm_translation`, and applies the shims that fairseq needs on current libraries.
The folders ranks, spans and alignment know no fairseq and can be used without it.
"""

import importlib.util

__version__ = "0.1.0"

if importlib.util.find_spec("fairseq") is not None:
    from crossinit_fairseq import compat

    compat.apply()

    # fairseq itself imports only tasks/ and models/ of a user directory
    import crossinit_fairseq.criterions.crossinit  # noqa: F401
    import crossinit_fairseq.models.xlm  # noqa: F401
    import crossinit_fairseq.models.xlm_translation  # noqa: F401
    import crossinit_fairseq.tasks.crossinit_mlm  # noqa: F401
    import crossinit_fairseq.tasks.crossinit_pretrain  # noqa: F401
    import crossinit_fairseq.tasks.crossinit_unmt  # noqa: F401
