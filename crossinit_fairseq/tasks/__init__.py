"""Registered tasks: thin adapters from fairseq to the rest of the package."""
