"""What an embedding table shows of the words of several languages: the paper's figures and tables, and their controls.

It reads tables through `export` and word ranks through `ranks`, and knows no fairseq.
"""
