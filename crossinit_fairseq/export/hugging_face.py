"""A local folder of a Hugging Face model: mBART, XLM or XLM-R."""

import importlib.util
import json
import os
import shutil
import sys
from types import ModuleType
from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch

from crossinit_fairseq.complete_files import check_new_folder, complete_folder
from crossinit_fairseq.errors import InputError, first_line
from crossinit_fairseq.export.counterparts import find_counterparts
from crossinit_fairseq.export.tables import name_of, replace_rows

MODEL_TYPES = ("mbart", "xlm", "xlm-roberta")


class HuggingFaceModel:
    """Loads config, weights and vocabulary of a folder, never from the network, running no code of the folder's own.

    model: the transformers model, of the class the configuration names, on the CPU, in the dtype of the file;
    tokens: dict from the tokenizer's tokens to their ids, each below V; mask: the id of the masking token, or None.
    Raises InputError when the folder, or one of these parts, is missing, does not fit, or is of another kind of model.
    """

    def __init__(self, folder: str):
        self.folder = folder
        if not os.path.isdir(folder):
            raise InputError(f"{folder} is no folder: give the folder of a model, downloaded before")
        self.model_type, architectures = _read_config(folder)
        transformers = import_transformers()
        self.model: Any = _load_model(transformers, folder, architectures)
        self.tokens = _read_vocabulary(transformers, folder, self.model_type)
        self.mask = getattr(self.model.config, "mask_index", None) if self.model_type == "xlm" else None
        size = len(self.embeddings)
        beyond = max(self.tokens.values(), default=-1)
        if not 0 <= beyond < size:
            raise InputError(
                f"{folder}: the tokenizer numbers tokens up to {beyond}, the model has {size} rows: they are not of "
                "one model"
            )

    @property
    def embeddings(self) -> torch.nn.Parameter:
        """The input embeddings, float parameter [V, d]."""
        return self.model.get_input_embeddings().weight

    @property
    def tied_output(self) -> Optional[bool]:
        """Whether the output layer is the input embeddings: True, False, or None where the model has none."""
        output = self.model.get_output_embeddings()
        return None if output is None else output.weight.data_ptr() == self.embeddings.data_ptr()

    def counterparts(self, symbols: Sequence[str]) -> Tuple[List[int], List[int]]:
        """(ids, rows) of the tokens and the symbols, list of str, that mean the same: see find_counterparts."""
        return find_counterparts(self.tokens, symbols, self.model_type, self.mask)

    def replace(self, ids: Sequence[int], values: torch.Tensor, rows: Sequence[int]) -> int:
        """Replace the rows `ids` of the input embeddings, and of all that is tied to them, by values[rows].

        ids, rows: lists of int [n]; values: float tensor [W, d]. Returns how many rows were rounded to the model's
        dtype. Raises InputError when the dimensions differ.
        """
        if values.size(1) != self.embeddings.size(1):
            raise InputError(
                f"the model in {self.folder} has embeddings of dimension {self.embeddings.size(1)}, the checkpoint's "
                f"have {values.size(1)}"
            )
        rounded = 0
        for weight in self._input_weights():
            rounded = replace_rows(weight, values, ids, rows)
        return rounded

    def _input_weights(self) -> List[torch.nn.Parameter]:
        """All tables that embed tokens: an mBART that is not tied has one in the encoder and one in the decoder."""
        weights = [self.embeddings]
        for name, module in self.model.named_modules():
            weight = module.weight if name.split(".")[-1] == "embed_tokens" else None
            if weight is not None and all(weight.data_ptr() != other.data_ptr() for other in weights):
                weights.append(weight)
        return weights

    def save(self, path: str) -> None:
        """Write the model and the folder's tokenizer files to a new folder, complete or not at all.

        Raises InputError when it exists already or cannot be written.
        """
        from safetensors import SafetensorError  # which it raises on a full disk

        check_new_folder(path)
        with complete_folder(path) as part:
            try:
                self.model.save_pretrained(part)
            except (ValueError, RuntimeError, SafetensorError) as error:
                raise InputError(f"{path} cannot be written: {first_line(error)}") from None
            for name in sorted(os.listdir(self.folder)):
                source = os.path.join(self.folder, name)
                if _is_copied(name) and os.path.isfile(source) and not os.path.exists(os.path.join(part, name)):
                    shutil.copy(source, os.path.join(part, name))

    def __str__(self) -> str:
        return f"{self.folder} ({type(self.model).__name__}, {name_of(self.embeddings.dtype)})"


def _is_copied(name: str) -> bool:
    """Whether a file is copied to the new folder: the tokenizer's files and the licence, no old weights."""
    if name.endswith(".index.json"):
        return False
    return name.endswith((".json", ".txt", ".model", ".jinja")) or name.startswith(("LICENSE", "NOTICE"))


def _read_config(folder: str) -> Tuple[str, List[str]]:
    """(type of the model, names of its architectures)."""
    config = _read_json(folder, "config.json")
    if config.get("model_type") not in MODEL_TYPES:
        raise InputError(
            f"{folder} holds a model of type {config.get('model_type')!r}; only {', '.join(MODEL_TYPES)} can take the "
            "embeddings"
        )
    return config["model_type"], config.get("architectures") or []


def _read_json(folder: str, name: str) -> Dict[str, Any]:
    path = os.path.join(folder, name)
    try:
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):  # no JSON, not UTF-8, or nested without end
        raise InputError(f"{path} is no JSON") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} is no JSON object")
    return content


def _load_model(transformers: ModuleType, folder: str, architectures: Sequence[str]) -> torch.nn.Module:
    # the bare model, which AutoModel gives, would lose the heads
    kind = next((getattr(transformers, name) for name in architectures if hasattr(transformers, name)), None)
    try:
        model, found = (kind or transformers.AutoModel).from_pretrained(
            folder, local_files_only=True, output_loading_info=True, torch_dtype="auto"
        )
    except Exception as error:  # of many kinds, by version
        raise InputError(f"the model in {folder} cannot be loaded: {first_line(error)}") from None
    missing = sorted(found["missing_keys"])
    if missing:
        raise InputError(
            f"the weights in {folder} lack {len(missing)} of what {type(model).__name__} needs, such as {missing[0]}"
        )
    return model


def _read_vocabulary(transformers: ModuleType, folder: str, model_type: str) -> Dict[str, int]:
    if model_type == "xlm":
        # not by its tokenizer's class, which needs the library sacremoses to be constructed at all
        tokens = _read_json(folder, "vocab.json")
        if not all(type(number) is int for number in tokens.values()):
            raise InputError(f"{os.path.join(folder, 'vocab.json')} is no vocabulary of XLM: token to number")
        return tokens
    files = ("tokenizer.json", "sentencepiece.bpe.model")
    if not any(os.path.isfile(os.path.join(folder, name)) for name in files):
        raise InputError(f"{folder} has no tokenizer: it needs {' or '.join(files)}")
    try:
        return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True).get_vocab()
    except Exception as error:
        raise InputError(f"the tokenizer in {folder} cannot be loaded: {first_line(error)}") from None


def import_transformers() -> ModuleType:
    """Return the module transformers, imported so that it works beside a CPU build of torch and keeps off the network.

    ve-fairseq installs torchaudio from PyPI, which does not load beside a CPU build of torch, and transformers >= 5
    imports torchaudio if it is installed. No speech is needed here: one that does not load counts as not installed.
    Raises InputError when transformers is not installed.
    """
    if "torchaudio" not in sys.modules and importlib.util.find_spec("torchaudio") is not None:
        try:
            import torchaudio  # noqa: F401
        except (ImportError, OSError):
            sys.modules["torchaudio"] = None  # type: ignore[assignment]  # so Python marks what cannot be imported
    try:
        import transformers
    except ImportError as error:
        raise InputError(
            f"Hugging Face models need a library: pip install 'crossinit_fairseq[export]' ({first_line(error)})"
        ) from None
    transformers.utils.logging.disable_progress_bar()
    return transformers
