"""Preparing text: cleaning and normalising, filtering by language, sub-words and the dictionary, a report; downloads.

Text never has to fit in memory, and the same text, options and seed give the same files with any number of workers.
Imports no fairseq. The commands are those of `crossinit-prepare`.
"""
