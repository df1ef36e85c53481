"""Writing translations: the search for the next token, and the decoder that goes on from the tokens so far."""

from crossinit_fairseq.registration import import_fairseq

import_fairseq()
