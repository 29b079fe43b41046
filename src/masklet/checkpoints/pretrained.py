"""The base class of models that come from checkpoints and go to them."""

import os
import re
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, ClassVar, Self

import torch

from masklet.checkpoints.fitting import (
    WithoutRandomValues,
    assign_tensors,
    check_fit,
    dtype_of_mixed,
    loading_info,
    mismatched_tensors,
)
from masklet.checkpoints.layouts import in_current_layout
from masklet.checkpoints.model_conveniences import ModelConveniences, in_own_terms
from masklet.checkpoints.other_programs import Program, has_memory, why_not_run
from masklet.checkpoints.reading import open_checkpoint, read_weights
from masklet.checkpoints.renaming import Tensors
from masklet.checkpoints.writing import write_checkpoint_folder
from masklet.configuration import Config
from masklet.configuration.loading_arguments import with_location
from masklet.devices import DType, as_device, as_dtype
from masklet.errors import CheckpointError, InvalidInputError, OtherProgramWarning, is_out_of_memory
from masklet.hub_uploads import HubUploads, check_hub_options
from masklet.sources import Location, Source


class PretrainedModel(ModelConveniences, HubUploads):
    """A network built from a configuration, with `from_pretrained`, `save_pretrained` and `push_to_hub`.

    Example:
        >>> from masklet import Sam2Model
        >>> model = Sam2Model.from_pretrained()
        >>> model.save_pretrained("mine")
        >>> Sam2Model.from_pretrained("mine", image_size=256).config.image_size
        256
    """

    config_class: ClassVar[type[Config]]
    # Regular expressions, matched at the start, of checkpoint tensors that this model has no use for.
    ignored_tensor_patterns: ClassVar[tuple[str, ...]] = ()
    # Where this model is inside the largest one: dotted, such as "vision_encoder.backbone".
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
        config: Config | str | os.PathLike[str] | None = None,
        device: torch.device | str | None = None,
        dtype: DType = None,
        torch_dtype: DType = None,
        strict: bool = True,
        state_dict: Tensors | None = None,
        variant: str | None = None,
        ignore_mismatched_sizes: bool = False,
        output_loading_info: bool = False,
        **keywords: Any,
    ) -> Self:
        """Return the model of a checkpoint, in evaluation mode. Weights are mapped from the file, not copied.

        Args:
            source: None (the bundled model), a folder, a weight file (.safetensors, Meta's .pt) or a hub id
                `owner/name`.
            config: used in place of the checkpoint's own: a configuration, or where one is.
            device: default the CPU.
            dtype: default float32; "auto" keeps the file's.
            torch_dtype: the older spelling of `dtype`.
            strict: every tensor must be there and expected. If False, tensors that the file lacks keep their initial
                values.
            state_dict: tensors by name, used in place of the file's.
            variant: of the weight files, "fp16" for `model.fp16.safetensors`.
            ignore_mismatched_sizes: tensors of other shapes than the file's keep their initial values.
            output_loading_info: return the model and a dictionary of the `missing_keys`, `unexpected_keys`,
                `mismatched_keys` (name, shape in the file, shape in the model) and `error_msgs` (none).
            keywords: those of `masklet.sources.Location` (`subfolder`, `revision`, `token`, `cache_dir`, ...); fields
                of the configuration, such as `image_size=512`; arguments that only transformers has, as far as they
                make sense (`model_conveniences.py`).

        Raises:
            CheckpointError: (an `OSError` and a `ValueError`) for files that are missing, damaged, unsafe or of another
                model, listing the tensors that do not fit.
            InvalidInputError: for arguments that are none of these.
        """
        source, location, keywords = with_location(source, keywords)
        device, overrides = in_own_terms(device, keywords)
        cls._check_overrides(overrides)
        target_device = as_device(device)
        target_dtype = as_dtype(dtype, torch_dtype)
        config, tensors = cls._opened(source, location, config, state_dict, variant, overrides)
        origin = "The bundled model" if source is None else os.fspath(source)
        model = cls._built(config, origin, draws_values=not strict or ignore_mismatched_sizes)
        expected = model.state_dict()
        mismatched = mismatched_tensors(expected, tensors) if ignore_mismatched_sizes else set()
        info = loading_info(expected, tensors, mismatched)
        for name, *_ in mismatched:
            del expected[name], tensors[name]
        check_fit(expected, tensors, f"{origin} does not fit {cls.__name__}", partial=not strict)
        assign_tensors(model, tensors, target_device, target_dtype or dtype_of_mixed(tensors, origin))
        model.name_or_path = "" if source is None else os.fspath(source)
        model.config.torch_dtype = model.dtype
        model.eval()
        return (model, info) if output_loading_info else model  # type: ignore[return-value]

    @classmethod
    def _check_overrides(cls, overrides: dict[str, Any]) -> None:
        if unknown := [name for name in overrides if not cls.config_class.knows(name)]:
            raise InvalidInputError(
                f"{cls.__name__}.from_pretrained does not know {', '.join(unknown)}; allowed: config, device, dtype, "
                f"{', '.join(Location.__annotations__)}, strict, state_dict, variant, ignore_mismatched_sizes, "
                f"output_loading_info and the fields of {cls.config_class.__name__}."
            )

    @classmethod
    def _opened(
        cls,
        source: Source,
        location: Location,
        config: Config | str | os.PathLike[str] | None,
        state_dict: Tensors | None,
        variant: str | None,
        overrides: dict[str, Any],
    ) -> tuple[Config, Tensors]:
        """Return the configuration and this model's tensors, of the source or as they were given."""
        if isinstance(config, str | os.PathLike):
            config = cls.config_class.from_pretrained(config, **location)
        if config is not None:
            cls._check_config(config)
            config = cls.config_class.from_dict(config.to_dict(), **overrides)
        if state_dict is not None:
            if not isinstance(state_dict, Mapping):
                raise InvalidInputError(f"state_dict is a {type(state_dict).__name__}; it must hold tensors by name.")
            config = config or cls.config_class.from_pretrained(source, **location, **overrides)
            tensors = in_current_layout(dict(state_dict))
        elif config is not None:
            tensors = in_current_layout(read_weights(source, variant=variant, **location).tensors)
        else:
            config, tensors = open_checkpoint(source, cls.config_class, location, variant, **overrides)
        return config, cls._own_tensors(tensors)

    @classmethod
    def _from_config(cls, config: Config, *, dtype: DType = None, torch_dtype: DType = None, **ignored: Any) -> Self:
        """Return a model of random weights, in evaluation mode: what transformers' `AutoModel.from_config` calls."""
        model = cls(config).to(as_dtype(dtype, torch_dtype))
        return model.eval()

    @classmethod
    def _built(cls, config: Config, origin: str, *, draws_values: bool) -> Self:
        """Return the network of a configuration; CheckpointError if the memory does not hold it."""
        try:
            with nullcontext() if draws_values else WithoutRandomValues():
                return cls(config)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise CheckpointError(f"{origin}: the network of its configuration does not fit into memory.") from error

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
        state_dict: Tensors | None = None,
        is_main_process: bool = True,
        save_function: object = None,
        safe_serialization: bool = True,
        max_shard_size: int | str = "5GB",
        push_to_hub: bool = False,
        **hub_options: Any,
    ) -> None:
        """Write `config.json` and `model.safetensors` into `folder`.

        The folder is complete afterwards or, on an error (`CheckpointError`), as it was. An `OtherProgramWarning`
        reports if transformers, whose layout this is, cannot run the network, and why.

        Args:
            folder: made if it does not exist.
            state_dict: tensors by name, written in place of the model's own.
            is_main_process: False writes nothing: of several processes one writes.
            save_function: accepted from programs written for accelerate; there is one way to write a file.
            safe_serialization: True; pickles are not written.
            max_shard_size: above which the weights become several files.
            push_to_hub: also upload it.
            hub_options: those of the method `push_to_hub`; `repo_id` is by default the folder's name.

        Raises:
            CheckpointError: if the folder cannot be written.
            InvalidInputError: for other arguments.
        """
        check_hub_options(hub_options)
        if not safe_serialization:
            raise InvalidInputError("safe_serialization=False means pickles; masklet writes safetensors only.")
        if not is_main_process:
            return
        architecture = {"architectures": [type(self).__name__], "dtype": str(self.dtype).removeprefix("torch.")}
        config = {**self.config.to_dict(), **architecture}
        tensors = self.state_dict() if state_dict is None else dict(state_dict)
        write_checkpoint_folder(folder, tensors, config, max_shard_size=max_shard_size)
        if push_to_hub:
            saving: dict[str, Any] = {"state_dict": tensors, "max_shard_size": max_shard_size}
            self._push_saved(folder, **saving, **hub_options)  # saves, and warns, once more
        elif reason := why_not_run(Program.TRANSFORMERS, self.config, with_memory=has_memory(tensors)):
            warnings.warn(reason, OtherProgramWarning, stacklevel=2)
