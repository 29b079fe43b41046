"""What programs written for transformers expect of a model: arguments of loading, properties, small methods."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from masklet.configuration.loading_arguments import LOADING_ARGUMENTS
from masklet.devices import best_device
from masklet.errors import InvalidInputError

_CHECKPOINTING_VALUES: Mapping[str, tuple[object, ...]] = {
    "use_reentrant": (True, False, None),
    "preserve_rng_state": (True,),
    "every_n_layers": (1,),
    "offload": (False,),
}
# They choose between ways to the same result, of which there is one here, or concern files that are not written.
WITHOUT_EFFECT = frozenset(
    {
        "_commit_hash",
        "_configuration_file",
        "_fast_init",
        "_from_auto",
        "_from_pipeline",
        "adapter_kwargs",
        "adapter_name",
        "attn_implementation",
        "code_revision",
        "disable_mmap",
        "low_cpu_mem_usage",
        "mirror",
        "name_or_path",
        "offload_buffers",
        "offload_folder",
        "offload_state_dict",
        "resume_download",
        "tqdm_class",
        "trust_remote_code",
        "use_fast",
        "use_safetensors",
        "user_agent",
        "weights_only",
    }
)


class ModelConveniences(nn.Module):
    """Properties and methods of a network that is built from a configuration (`config`)."""

    name_or_path: str = ""
    """The path or hub id that `from_pretrained` loaded; "" for the bundled model and random weights."""
    supports_gradient_checkpointing = True
    _input_hook: RemovableHandle | None = None

    @property
    def device(self) -> torch.device:
        """The device of the parameters."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The floating-point type of the parameters."""
        return next(parameter.dtype for parameter in self.parameters() if parameter.is_floating_point())

    @property
    def base_model(self) -> nn.Module:
        """The model itself: SAM 2 has no head around a base."""
        return self

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """Return the number of parameters.

        Args:
            only_trainable: count those that require gradients.
            exclude_embeddings: leave out those of `nn.Embedding` modules.
        """
        tables = (part.weight for part in self.modules() if isinstance(part, nn.Embedding))
        left_out = {id(each) for each in tables if exclude_embeddings}
        counted = (each for each in self.parameters() if each.requires_grad or not only_trainable)
        return sum(each.numel() for each in counted if id(each) not in left_out)

    def get_memory_footprint(self, return_buffers: bool = True) -> int:
        """Return the bytes that the parameters take and, unless `return_buffers` is False, the buffers."""
        tensors = [*self.parameters(), *(self.buffers() if return_buffers else ())]
        return sum(each.numel() * each.element_size() for each in tensors)

    def get_parameter_or_buffer(self, target: str) -> Tensor:
        """Return the parameter or buffer of a dotted name; AttributeError if there is none."""
        named = dict(self.named_parameters()) | dict(self.named_buffers())
        if target not in named:
            raise AttributeError(f"{type(self).__name__} has no parameter or buffer named {target!r}.")
        return named[target]

    def tie_weights(self, **ignored: object) -> None:
        """Do nothing: no two parts of SAM 2 share a weight."""

    @property
    def is_gradient_checkpointing(self) -> bool:
        """True if activations are computed again in the backward pass (gradient checkpointing)."""
        return any(getattr(part, "gradient_checkpointing", False) for part in self.modules())

    def gradient_checkpointing_enable(
        self, gradient_checkpointing_kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        """Compute the backbone's blocks again in the backward pass instead of keeping their activations: less memory.

        Args:
            gradient_checkpointing_kwargs: `use_reentrant` and `preserve_rng_state` of `torch.utils.checkpoint`, which
                are accepted and change nothing: blocks are recomputed without reentrance, random state preserved.
            options: `every_n_layers` 1 and `offload` False, the only values there are.

        Raises:
            InvalidInputError: for any other option or value.
        """
        for name, value in {**(gradient_checkpointing_kwargs or {}), **options}.items():
            if value not in _CHECKPOINTING_VALUES.get(name, ()):
                raise InvalidInputError(
                    f"{name}={value!r} is no option of gradient checkpointing here; there are use_reentrant (without "
                    "effect), preserve_rng_state=True, every_n_layers=1 and offload=False."
                )
        self._set_gradient_checkpointing(True)

    def activation_checkpointing_enable(
        self, activation_checkpointing_kwargs: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        """Do what `gradient_checkpointing_enable` does, under the name that newer programs call it by."""
        self.gradient_checkpointing_enable(activation_checkpointing_kwargs, **options)

    def gradient_checkpointing_disable(self) -> None:
        """Keep the activations of the backbone's blocks for the backward pass: less time (the default)."""
        self._set_gradient_checkpointing(False)

    def activation_checkpointing_disable(self) -> None:
        """Do what `gradient_checkpointing_disable` does."""
        self.gradient_checkpointing_disable()

    def _set_gradient_checkpointing(self, enabled: bool) -> None:
        for part in self.modules():
            if "gradient_checkpointing" in vars(part):
                vars(part)["gradient_checkpointing"] = enabled

    def enable_input_require_grads(self) -> None:
        """Let gradients flow to what the patch embedding returns, though its weights may be frozen (for adapters)."""
        self.disable_input_require_grads()
        self._input_hook = self.get_input_embeddings().register_forward_hook(
            lambda module, arguments, embedded: embedded.requires_grad_(True)
        )

    def disable_input_require_grads(self) -> None:
        """Undo `enable_input_require_grads`."""
        if self._input_hook is not None:
            self._input_hook.remove()
        self._input_hook = None

    def get_input_embeddings(self) -> nn.Module:
        """Return the patch embedding."""
        raise NotImplementedError


def in_own_terms(device: Any, options: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the device, which `device_map` may name, and the options that are left.

    A `device_map` is one device for the whole model: its name, {"": its name}, or "auto", which is the GPU if there is
    one. Options that mean nothing here (such as a quantisation) may be None or False.

    Raises:
        InvalidInputError: for parts on several devices, and for what means nothing here with any other value.
    """
    left = {name: value for name, value in options.items() if name not in WITHOUT_EFFECT}
    device_map = left.pop("device_map", None)
    for name in sorted(LOADING_ARGUMENTS & left.keys()):
        if left.pop(name) not in (None, False):
            raise InvalidInputError(f"{name} has no meaning for masklet's models; leave it out, or give None.")
    if device_map is None:
        return device, left
    if device is not None:
        raise InvalidInputError(f"device={device} and device_map={device_map} mean the same; give one.")
    return _only_device(device_map), left


def _only_device(device_map: Any) -> Any:
    if isinstance(device_map, Mapping):
        if set(device_map) != {""}:
            raise InvalidInputError(
                f"device_map={dict(device_map)}; the whole model goes to one device, for example 'cuda'."
            )
        return device_map[""]
    return best_device() if device_map == "auto" else device_map
