"""Unsupervised translation: noise for denoising, generation for back-translation, and the batches of both."""

from crossinit_fairseq.registration import import_fairseq

import_fairseq()
