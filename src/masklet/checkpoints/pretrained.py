"""The base class of models that come from checkpoints and go to them."""

import os
import re
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar, Self

import torch

from masklet.checkpoints.fitting import WithoutRandomValues, assign_tensors, check_fit
from masklet.checkpoints.layouts import in_current_layout
from masklet.checkpoints.model_conveniences import ModelConveniences
from masklet.checkpoints.opening import open_checkpoint
from masklet.checkpoints.reading import read_weights
from masklet.checkpoints.renaming import Tensors
from masklet.checkpoints.transformers_arguments import in_own_terms
from masklet.checkpoints.writing import write_checkpoint_folder
from masklet.configuration import Config
from masklet.errors import InvalidInputError
from masklet.sources import Source

DType = torch.dtype | str | None


class PretrainedModel(ModelConveniences):
    """A network built from a configuration, with `from_pretrained`, `save_pretrained` and `push_to_hub`."""

    config_class: ClassVar[type[Config]]
    # Regular expressions, matched at the start, of checkpoint tensors that this model has no use for.
    ignored_tensor_patterns: ClassVar[tuple[str, ...]] = ()
    # Where this model is inside the largest one: dotted, say "vision_encoder.backbone".
    base_model_prefix: ClassVar[str] = ""

    config: Any

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._check_config(config)
        self.config = config

    @classmethod
    def from_pretrained(
        cls,
        source: Source = None,
        *,
        config: Config | None = None,
        device: torch.device | str | None = None,
        dtype: DType = None,
        torch_dtype: DType = None,
        subfolder: str = "",
        revision: str | None = None,
        strict: bool = True,
        **config_overrides: Any,
    ) -> Self:
        """Return the model of a checkpoint, in evaluation mode.

        source: None (the bundled model), a folder, a weight file (.safetensors, Meta's .pt) or a hub id `owner/name`.
        config: used in place of the checkpoint's own. Other keyword arguments (say `image_size=512`) set its fields.
        device: default the CPU. dtype (older spelling `torch_dtype`): default float32; "auto" keeps the file's.
        strict: every tensor must be there and expected. If False, tensors the file lacks keep their initial values.
        Arguments that only transformers has are understood as far as they make sense (`transformers_arguments.py`).

        Weights are mapped from the file, not copied. Raises `CheckpointError` (an `OSError` and a `ValueError`) for
        files that are missing, damaged, unsafe or of another model, listing the tensors that do not fit, and
        `InvalidInputError` for arguments that are none of these.
        """
        device, config_overrides = in_own_terms(device, config_overrides)
        if unknown := [name for name in config_overrides if not cls.config_class.knows(name)]:
            raise InvalidInputError(
                f"{cls.__name__}.from_pretrained does not know {', '.join(unknown)}; allowed: config, device, dtype, "
                f"subfolder, revision, strict and the fields of {cls.config_class.__name__}."
            )
        target_device = _as_device(device)
        target_dtype = _as_dtype(dtype, torch_dtype)
        if config is None:
            config, tensors = open_checkpoint(
                source, cls.config_class, subfolder=subfolder, revision=revision, **config_overrides
            )
        else:
            cls._check_config(config)
            config = cls.config_class.from_dict(config.to_dict(), **config_overrides)
            tensors = in_current_layout(read_weights(source, subfolder=subfolder, revision=revision).tensors)
        tensors = cls._own_tensors(tensors)
        with WithoutRandomValues() if strict else nullcontext():
            model = cls(config)
        origin = "The bundled model" if source is None else os.fspath(source)
        check_fit(model.state_dict(), tensors, f"{origin} does not fit {cls.__name__}", partial=not strict)
        assign_tensors(model, tensors, target_device, target_dtype)
        model.name_or_path = "" if source is None else os.fspath(source)
        return model.eval()

    @classmethod
    def _check_config(cls, config: object) -> None:
        if not isinstance(config, cls.config_class):
            needed, given = cls.config_class.__name__, type(config).__name__
            raise InvalidInputError(f"{cls.__name__} is built from a {needed}; got a {given}.")

    @classmethod
    def _own_tensors(cls, tensors: Tensors) -> Tensors:
        """Return the part of a larger model's tensors that is this model's, without those it ignores."""
        places = cls.base_model_prefix.split(".")
        for depth in range(len(places)):
            prefix = ".".join(places[depth:]) + "."
            if any(name.startswith(prefix) for name in tensors):
                own = {name: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
                tensors = {name.removeprefix(prefix): tensor for name, tensor in own.items()}
                break
        patterns = [re.compile(pattern) for pattern in cls.ignored_tensor_patterns]
        return {name: each for name, each in tensors.items() if not any(pattern.match(name) for pattern in patterns)}

    def save_pretrained(
        self,
        folder: str | os.PathLike[str],
        *,
        max_shard_size: int | str = "5GB",
        push_to_hub: bool = False,
        repo_id: str | None = None,
        **hub_options: Any,
    ) -> None:
        """Write `config.json` and `model.safetensors` (in shards above `max_shard_size`) into `folder`.

        The folder is complete afterwards or, on an error (`CheckpointError`), as it was. `push_to_hub` also uploads:
        `repo_id` is by default the folder's name, `hub_options` go to the method `push_to_hub`.
        """
        architecture = {"architectures": [type(self).__name__], "dtype": str(self.dtype).removeprefix("torch.")}
        config = {**self.config.to_dict(), **architecture}
        write_checkpoint_folder(folder, self.state_dict(), config, max_shard_size=max_shard_size)
        if push_to_hub:
            self.push_to_hub(repo_id or Path(folder).name, max_shard_size=max_shard_size, **hub_options)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        token: str | None = None,
        private: bool | None = None,
        revision: str | None = None,
        commit_message: str | None = None,
        max_shard_size: int | str = "5GB",
    ) -> str:
        """Upload the model to the hub repository `repo_id`, made if missing, and return the address of the commit."""
        from huggingface_hub import HfApi

        hub = HfApi(token=token)
        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder, max_shard_size=max_shard_size)
            full_id = hub.create_repo(repo_id, private=private, exist_ok=True).repo_id
            commit = hub.upload_folder(
                repo_id=full_id,
                folder_path=folder,
                revision=revision,
                commit_message=commit_message or f"Upload {type(self).__name__}",
            )
        return str(commit)


def _as_device(device: torch.device | str | None) -> torch.device:
    try:
        known = torch.device("cpu" if device is None else device)
        torch.empty(0, device=known)
    except (RuntimeError, AssertionError) as error:
        raise InvalidInputError(f"device={device!r} cannot be used here: {str(error).splitlines()[0]}") from error
    return known


def _as_dtype(dtype: DType, torch_dtype: DType) -> torch.dtype | None:
    """Return the floating-point type to cast to, or None to keep what the file has."""
    named = {str(each).removeprefix("torch.") for each in (dtype, torch_dtype) if each is not None}
    if len(named) > 1:
        raise InvalidInputError(
            f"dtype={dtype} and torch_dtype={torch_dtype} are two spellings of one argument; give one."
        )
    name = named.pop() if named else "float32"
    if name == "auto":
        return None
    known = getattr(torch, name, None)
    if not isinstance(known, torch.dtype) or not known.is_floating_point:
        raise InvalidInputError(f"dtype={name!r} is not a floating-point type; give 'auto', 'float32', 'bfloat16', ...")
    return known
