"""CrossInit for fairseq: embeddings aligned across languages by word-frequency rank before any pre-training.

`fairseq-train --user-dir crossinit_fairseq ...` loads this package; loading it registers the criterions `crossinit`
and `span_prediction`, the tasks `crossinit_pretrain`, `crossinit_denoising`, `crossinit_mlm`, `crossinit_unmt`,
`crossinit_xnli` and `crossinit_qa` and the architectures `xlm_tiny_3`, `xlm_mlm_xnli15_1024` and `xlm_translation`, and
applies the shims that fairseq needs on current libraries: at once if fairseq has been imported, else as soon as it is.
The rooms ranks, lexicon, spans, alignment, preparation, scoring, analysis, export, finetuning and doctor know no
fairseq and can be used without it.
"""

from crossinit_fairseq.registration import register_with_fairseq

__version__ = "0.1.0"

register_with_fairseq()
