"""What each `from_pretrained` does: which keywords control loading, and are never saved; whose fault an error is."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from masklet.errors import CheckpointError, InvalidInputError
from masklet.json_files import shown
from masklet.sources import Location, Source

SECRETS = frozenset({"token", "use_auth_token", "proxies"})  # the address of a proxy may contain a password
LOADING_ARGUMENTS = SECRETS | {
    "_commit_hash",
    "_configuration_file",
    "_fast_init",
    "_from_auto",
    "_from_pipeline",
    "adapter_kwargs",
    "adapter_name",
    "allow_all_kernels",
    "attn_implementation",
    "cache_dir",
    "code_revision",
    "config",
    "device",
    "device_map",
    "device_mesh",
    "disable_mmap",
    "distributed_config",
    "experts_implementation",
    "force_download",
    "from_flax",
    "from_tf",
    "fusion_config",
    "generation_config",
    "gguf_file",
    "ignore_mismatched_sizes",
    "kernel_config",
    "key_mapping",
    "load_in_4bit",
    "load_in_8bit",
    "local_files_only",
    "low_cpu_mem_usage",
    "max_memory",
    "mirror",
    "name_or_path",
    "offload_buffers",
    "offload_folder",
    "offload_state_dict",
    "output_loading_info",
    "pretrained_model_name_or_path",
    "quantization_config",
    "resume_download",
    "return_unused_kwargs",
    "revision",
    "state_dict",
    "subfolder",
    "tp_plan",
    "tp_size",
    "tqdm_class",
    "trust_remote_code",
    "use_fast",
    "use_kernels",
    "use_safetensors",
    "user_agent",
    "variant",
    "weights_only",
}
Built = TypeVar("Built")
_ALSO_IN_FILES = frozenset({"quantization_config"})  # a quantised checkpoint's config.json has it


def with_location(source: Source, given: Mapping[str, Any]) -> tuple[Source, Location, dict[str, Any]]:
    """Return the source, where its files are, and the other keywords of a `from_pretrained`.

    Raises:
        InvalidInputError: if the source is given twice, or for proxies, which the hub's client has no argument for.
    """
    left = {name: value for name, value in given.items() if name not in Location.__annotations__}
    if (named := left.pop("pretrained_model_name_or_path", None)) is not None:
        if source is not None:
            raise InvalidInputError(f"The checkpoint is given twice: {shown(source)} and {shown(named)}.")
        source = named
    if left.pop("proxies", None):
        raise InvalidInputError("proxies cannot be given; set the environment variables HTTP_PROXY and HTTPS_PROXY.")
    older_token = left.pop("use_auth_token", None)
    location = Location(**{name: given[name] for name in Location.__annotations__ if name in given})  # type: ignore[typeddict-item]
    for name in ("subfolder", "revision"):
        if not isinstance(location.get(name) or "", str):
            raise InvalidInputError(f"{name} must be a name; got {shown(location.get(name))}.")
    if older_token is not None and location.get("token") is None:
        location["token"] = older_token
    return source, location, left


def without_loading_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords of a `from_pretrained` that may be fields."""
    return {name: value for name, value in given.items() if name not in LOADING_ARGUMENTS}


def storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an object may keep and save of the values it is made from: not how it was loaded, and no secret.

    Earlier versions wrote a token that they were given into config.json: it ends here.
    """
    never = LOADING_ARGUMENTS - _ALSO_IN_FILES
    return {name: value for name, value in values.items() if name not in never}


def built_from_file(build: Callable[..., Built], values: Any, what: str, /, **overrides: Any) -> Built:
    """Return what is built of the values of a file and of keywords that win over them.

    Args:
        build: takes both.
        values: what the file holds.
        what: what messages begin with.
        **overrides: the keywords.

    Raises:
        InvalidInputError: if it is the keywords that are wrong.
        CheckpointError: if it is the file.
    """
    try:
        return build(values, **overrides)
    except InvalidInputError as error:
        if overrides:
            built_from_file(build, values, what)
            raise
        raise CheckpointError(f"{what}: {error}") from error
