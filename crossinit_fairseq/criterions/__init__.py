"""Registered criterions."""

from crossinit_fairseq.registration import import_fairseq

import_fairseq()
