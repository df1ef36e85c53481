"""Imported for what it does: a benchmark then times the package it stands beside, whichever is installed.

Benchmarks compare commits, and each commit's is to time that commit.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
