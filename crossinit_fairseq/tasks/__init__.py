"""Registered tasks: thin adapters from fairseq to the rest of the package."""

from crossinit_fairseq.registration import import_fairseq

import_fairseq()
