"""A local folder of a Hugging Face model: mBART, XLM or XLM-R."""

import json
import os
import shutil

from crossinit_fairseq.complete_files import check_new_folder, complete_folder
from crossinit_fairseq.errors import InputError
from crossinit_fairseq.export.counterparts import find_counterparts
from crossinit_fairseq.export.tables import name_of, replace_rows
from crossinit_fairseq.export.transformers_library import import_transformers

MODEL_TYPES = ("mbart", "xlm", "xlm-roberta")


class HuggingFaceModel:
    """Loads config, weights and vocabulary of a folder, never from the network, running no code of the folder's own.

    model: the transformers model, of the class the configuration names, on the CPU, in the dtype of the file;
    tokens: dict from the tokenizer's tokens to their ids, each below V; mask: the id of the masking token, or None.
    Raises InputError when the folder, or one of these parts, is missing, does not fit, or is of another kind of model.
    """

    def __init__(self, folder):
        self.folder = folder
        if not os.path.isdir(folder):
            raise InputError("{} is no folder: give the folder of a model, downloaded before".format(folder))
        self.model_type, architectures = _read_config(folder)
        transformers = import_transformers()
        self.model = _load_model(transformers, folder, architectures)
        self.tokens = _read_vocabulary(transformers, folder, self.model_type)
        self.mask = getattr(self.model.config, "mask_index", None) if self.model_type == "xlm" else None
        size = len(self.embeddings)
        beyond = max(self.tokens.values(), default=-1)
        if not 0 <= beyond < size:
            raise InputError(
                "{}: the tokenizer numbers tokens up to {}, the model has {} rows: they are not of one model".format(
                    folder, beyond, size
                )
            )

    @property
    def embeddings(self):
        """The input embeddings, float parameter [V, d]."""
        return self.model.get_input_embeddings().weight

    @property
    def tied_output(self):
        """Whether the output layer is the input embeddings: True, False, or None where the model has none."""
        output = self.model.get_output_embeddings()
        return None if output is None else output.weight.data_ptr() == self.embeddings.data_ptr()

    def counterparts(self, symbols):
        """(ids, rows) of the tokens and the symbols, list of str, that mean the same: see find_counterparts."""
        return find_counterparts(self.tokens, symbols, self.model_type, self.mask)

    def replace(self, ids, values, rows):
        """Put values[rows] in the place of the rows `ids` of the input embeddings and all that is tied to them.

        ids, rows: lists of int [n]; values: float tensor [W, d]. Returns how many rows were rounded to the model's dtype.
        Raises InputError when the dimensions differ.
        """
        if values.size(1) != self.embeddings.size(1):
            raise InputError(
                "the model in {} has embeddings of dimension {}, the checkpoint's have {}".format(
                    self.folder, self.embeddings.size(1), values.size(1)
                )
            )
        rounded = 0
        for weight in self._input_weights():
            rounded = replace_rows(weight, values, ids, rows)
        return rounded

    def _input_weights(self):
        """mBART that is not tied embeds encoder and decoder each by a table of its own."""
        weights = [self.embeddings]
        for name, module in self.model.named_modules():
            weight = module.weight if name.split(".")[-1] == "embed_tokens" else None
            if weight is not None and all(weight.data_ptr() != other.data_ptr() for other in weights):
                weights.append(weight)
        return weights

    def save(self, path):
        """Write the model and the folder's tokenizer files to a new folder, complete or not at all.

        Raises InputError when it exists already or cannot be written.
        """
        check_new_folder(path)
        with complete_folder(path) as part:
            try:
                self.model.save_pretrained(part)
            except (ValueError, RuntimeError) as error:
                raise InputError("{} cannot be written: {}".format(path, str(error).split("\n")[0])) from None
            for name in sorted(os.listdir(self.folder)):
                source = os.path.join(self.folder, name)
                if _goes_along(name) and os.path.isfile(source) and not os.path.exists(os.path.join(part, name)):
                    shutil.copy(source, os.path.join(part, name))

    def __str__(self):
        return "{} ({}, {})".format(self.folder, type(self.model).__name__, name_of(self.embeddings.dtype))


def _goes_along(name):
    """The tokenizer's files and the licence; not other weights, which would be those of the old table."""
    if name.endswith(".index.json"):
        return False
    return name.endswith((".json", ".txt", ".model", ".jinja")) or name.startswith(("LICENSE", "NOTICE"))


def _read_config(folder):
    config = _read_json(folder, "config.json")
    if config.get("model_type") not in MODEL_TYPES:
        raise InputError(
            "{} holds a model of type {!r}; only {} can take the embeddings".format(
                folder, config.get("model_type"), ", ".join(MODEL_TYPES)
            )
        )
    return config["model_type"], config.get("architectures") or []


def _read_json(folder, name):
    path = os.path.join(folder, name)
    try:
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
    except OSError as error:
        raise InputError("{} cannot be read: {}".format(path, error.strerror)) from None
    except ValueError:  # no JSON, or not UTF-8
        raise InputError("{} is no JSON".format(path)) from None
    if not isinstance(content, dict):
        raise InputError("{} is no JSON object".format(path))
    return content


def _load_model(transformers, folder, architectures):
    # the bare model, which AutoModel gives, would lose the heads
    kind = next((getattr(transformers, name) for name in architectures if hasattr(transformers, name)), None)
    try:
        model, found = (kind or transformers.AutoModel).from_pretrained(
            folder, local_files_only=True, output_loading_info=True, torch_dtype="auto"
        )
    except Exception as error:  # of many kinds, by version
        said = (str(error) or type(error).__name__).strip().split("\n")[0]
        raise InputError("the model in {} cannot be loaded: {}".format(folder, said)) from None
    missing = sorted(found["missing_keys"])
    if missing:
        raise InputError(
            "the weights in {} lack {} of what {} needs, such as {}".format(
                folder, len(missing), type(model).__name__, missing[0]
            )
        )
    return model


def _read_vocabulary(transformers, folder, model_type):
    if model_type == "xlm":
        # not by its tokenizer's class, which wants the library sacremoses to be made at all
        tokens = _read_json(folder, "vocab.json")
        if not all(type(number) is int for number in tokens.values()):
            raise InputError("{} is no vocabulary of XLM: token to number".format(os.path.join(folder, "vocab.json")))
        return tokens
    files = ("tokenizer.json", "sentencepiece.bpe.model")
    if not any(os.path.isfile(os.path.join(folder, name)) for name in files):
        raise InputError("{} has no tokenizer: it needs {}".format(folder, " or ".join(files)))
    try:
        return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True).get_vocab()
    except Exception as error:
        said = (str(error) or type(error).__name__).strip().split("\n")[0]
        raise InputError("the tokenizer in {} cannot be loaded: {}".format(folder, said)) from None
