"""What all stages read: the one dictionary, the data folder, sentences and their noise. Needs no fairseq; `datasets`
does."""
