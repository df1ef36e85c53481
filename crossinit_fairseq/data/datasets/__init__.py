"""fairseq datasets of the text: what pre-training, translation and their validation read."""

from crossinit_fairseq.registration import import_fairseq

import_fairseq()
