"""What CrossInit needs of fairseq's models: finding their token tables, and training nothing else."""

from crossinit_fairseq.registration import import_fairseq

import_fairseq()
