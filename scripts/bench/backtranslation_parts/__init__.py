"""What scripts/bench/backtranslation.py is made of."""
