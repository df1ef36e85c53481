"""Counting the words of raw text: where it comes from, what a word is, workers and clusters."""
