"""Arguments of a model's `from_pretrained` that programs written for transformers give."""

from collections.abc import Mapping
from typing import Any

from masklet.configuration.loading_arguments import LOADING_ARGUMENTS
from masklet.devices import best_device
from masklet.errors import InvalidInputError

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
