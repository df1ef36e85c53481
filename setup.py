"""Install crossinit_fairseq. The reasons for each dependency are in the README."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "crossinit_fairseq/__init__.py").read_text("utf-8")).group(1)
PREBUILT = 'platform_system == "Linux" and platform_machine == "x86_64"'
NOT_PREBUILT = '(platform_system != "Linux" or platform_machine != "x86_64")'

setup(
    name="crossinit_fairseq",
    version=VERSION,
    description="CrossInit for fairseq: align embeddings across languages by word-frequency rank before pre-training",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    packages=find_packages(include=["crossinit_fairseq", "crossinit_fairseq.*"]),
    python_requires=">=3.8",
    entry_points={
        "console_scripts": [
            "crossinit-analyze = crossinit_fairseq.cli.analyze:main",
            "crossinit-compare = crossinit_fairseq.cli.compare:main",
            "crossinit-doctor = crossinit_fairseq.cli.doctor:main",
            "crossinit-export = crossinit_fairseq.cli.export:main",
            "crossinit-lexicon = crossinit_fairseq.cli.lexicon:main",
            "crossinit-predict = crossinit_fairseq.cli.predict:main",
            "crossinit-prepare = crossinit_fairseq.cli.prepare:main",
            "crossinit-ranks = crossinit_fairseq.cli.ranks:main",
            "crossinit-retrieve = crossinit_fairseq.cli.retrieve:main",
            "crossinit-score = crossinit_fairseq.cli.score:main",
        ]
    },
    install_requires=[
        "torch>=1.13",
        "numpy<2",
        "hydra-core",
        "sentencepiece",
        "sacrebleu>=2",
        "wrapt",
        "langcodes>=3.4",
    ],
    extras_require={
        # an extra, not a requirement: every distribution owns the folder fairseq/ and would overwrite the one you have
        "fairseq": [
            f've-fairseq==0.12.3; python_version >= "3.11" and {PREBUILT}',
            f'fairseq-fixed==0.12.3.1; python_version >= "3.11" and {NOT_PREBUILT}',
            'fairseq==0.12.2; python_version < "3.11"',
        ],
        # what crossinit-ranks needs for raw text (pyarrow 26 refuses numpy 1); segment, wordfreq and distributed: for
        # scripts without spaces, for ready lists, and on a Dask cluster
        "text": ["polars>=1", "pyarrow<26", "tqdm", "zstandard"],
        # what crossinit-lexicon induces with (anyascii: words of different scripts are compared in Latin letters)
        "lexicon": ["scipy", "scikit-learn", "anyascii", "regex", "polars>=1", "pyarrow<26", "tqdm", "zstandard"],
        "segment": ['icu4py; python_version >= "3.11"'],
        "wordfreq": ["wordfreq>=3"],
        "distributed": ["polars>=1", "pyarrow<26", "tqdm", "zstandard", "dask[distributed]"],
        # what crossinit-export needs for .safetensors and for Hugging Face models (protobuf: their SentencePiece
        # tokenizers)
        "export": ["safetensors", "transformers>=4", "protobuf"],
        # the pictures that examples draw
        "plot": ["matplotlib"],
        # what crossinit-analyze draws and reckons with (babel: statements of Unicode's CLDR)
        "analysis": ["matplotlib", "scipy", "babel"],
        # what the translation recipes prepare, download and score text with
        "recipes": [
            "sacremoses",
            "py3langid",
            "indic-nlp-library",
            "mtdata>=0.5",
            "sentencex",
            "requests",
            "pyarrow<26",
            "tqdm",
            "zstandard",
        ],
        # words of Japanese and Korean in crossinit-score
        "mecab": ["sacrebleu[ja]>=2", "sacrebleu[ko]>=2"],
        # fairseq-hydra-train on Slurm
        "slurm": ["hydra-submitit-launcher>=1.2"],
        # what fairseq's --tensorboard-logdir writes with
        "tensorboard": ["tensorboardX"],
        # (ruff and mypy: the style and the types of the code are tests too)
        "test": [
            "pytest",
            "pytest-timeout",
            "pytest-xdist",
            "hypothesis",
            "tensorboardX",
            "ruff",
            "mypy; python_version >= '3.10'",
        ],
    },
)
