"""Arguments of `from_pretrained` that programs written for transformers give."""

from collections.abc import Mapping
from typing import Any

import torch

from masklet.errors import InvalidInputError

# They choose between ways to the same result, of which there is one here.
WITHOUT_EFFECT = (
    "attn_implementation",
    "low_cpu_mem_usage",
    "trust_remote_code",
    "use_safetensors",
    "weights_only",
    "use_fast",
)
# What the hub's own client reads from the environment, for configuration, weights and processors alike.
ENVIRONMENT = {"token": "HF_TOKEN", "cache_dir": "HF_HUB_CACHE", "local_files_only": "HF_HUB_OFFLINE"}


def in_own_terms(device: Any, options: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The device, which `device_map` may name, and the options that are left.

    A `device_map` is one device for the whole model: its name, {"": its name}, or "auto", which is the GPU if there is
    one. Raises `InvalidInputError` for parts on several devices, and for what is told by an environment variable.
    """
    left = with_effect(options)
    device_map = left.pop("device_map", None)
    if device_map is None:
        return device, left
    if device is not None:
        raise InvalidInputError(f"device={device} and device_map={device_map} say the same; give one.")
    return _only_device(device_map), left


def with_effect(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options without those that change nothing here.

    Raises `InvalidInputError` for what is told by an environment variable.
    """
    if told := next((name for name in options if name in ENVIRONMENT), None):
        raise InvalidInputError(f"from_pretrained takes no {told}; set the environment variable {ENVIRONMENT[told]}.")
    return {name: value for name, value in options.items() if name not in WITHOUT_EFFECT}


def _only_device(device_map: Any) -> Any:
    if isinstance(device_map, Mapping):
        if set(device_map) != {""}:
            raise InvalidInputError(f"device_map={dict(device_map)}; the whole model goes to one device, say 'cuda'.")
        return device_map[""]
    return ("cuda" if torch.cuda.is_available() else "cpu") if device_map == "auto" else device_map
