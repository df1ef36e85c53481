"""What scripts/bench/time_to_bleu.py is made of."""
