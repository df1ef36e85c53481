"""Unsupervised translation: back-translation, one training step, validation, and a watch over copying."""

from crossinit_fairseq.registration import import_fairseq

import_fairseq()
