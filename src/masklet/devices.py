"""Where the network computes, and in which number type: the one place that chooses either."""

import ctypes
import os
from functools import cache

import torch

from masklet.errors import InvalidInputError
from masklet.json_files import shown

Device = torch.device | str
DType = torch.dtype | str | None
# What the network's operations exist for; other floating-point types are for storage only.
COMPUTED_IN = (torch.float32, torch.bfloat16, torch.float16, torch.float64)

# What glibc calls the two limits, and what they are set to in bytes: its manual allows 32 MiB for the first.
MMAP_THRESHOLD, TRIM_THRESHOLD = (-3, 32 * 2**20), (-1, 128 * 2**20)
SETTINGS_OF_USERS = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")


def as_device(device: Device | None) -> torch.device:
    """Return a device, the CPU for None; InvalidInputError if nothing can be computed on it here."""
    try:
        known = torch.device("cpu" if device is None else device)
        torch.zeros(1, device=known).item()  # the device "meta" makes tensors, but no numbers
    except (RuntimeError, AssertionError, TypeError, ValueError, ImportError, OverflowError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)[:200]
        raise InvalidInputError(f"The device {shown(device)} cannot be used here ({reason}); try 'cpu'.") from error
    return known


def as_dtype(dtype: DType, torch_dtype: DType = None) -> torch.dtype | None:
    """Return the type that both arguments name, float32 if none does, or None for "auto".

    InvalidInputError for two different types, and for one that nothing is computed in.
    """
    named = {_named(each) for each in (dtype, torch_dtype) if each is not None}
    if len(named) > 1:
        raise InvalidInputError(
            f"dtype={shown(dtype)} and torch_dtype={shown(torch_dtype)} are two spellings of one argument; give one."
        )
    name = named.pop() if named else "float32"
    known = {name_of(each): each for each in COMPUTED_IN}
    if name != "auto" and name not in known:
        raise InvalidInputError(f"dtype={shown(name)}; the network computes in {', '.join(known)} or 'auto'.")
    return known.get(name)


def best_device() -> str:
    """Return the name of the best device here: a GPU if there is one, otherwise the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def usable_device(name: str | None) -> str:
    """Return `name`, or the best device if None; InvalidInputError if it cannot be used on this machine."""
    return best_device() if name is None else str(as_device(name))


def devices_of_workers(device: str, workers: int | None) -> list[str]:
    """Return a device for each worker process, of "cuda" every GPU in turn; None: one worker a GPU, or one."""
    count = torch.cuda.device_count() if device == "cuda" else 0
    if not count:
        return [device] * (workers or 1)
    return [f"{device}:{number % count}" for number in range(workers or count)]


def is_bfloat16_faster(device: Device) -> bool:
    """Whether the hardware multiplies bfloat16 faster than float32.

    Recent GPUs do, and processors with tile units (AMX) or with dot products of bfloat16 (AVX512_BF16).
    """
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and (torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


@cache
def keep_freed_memory() -> None:
    """Let the process keep up to 128 MiB that it has freed, instead of giving it back and asking for it again.

    A network makes and frees the same large tensors for each image; the system fills what it hands out anew with zeros,
    page by page. It is a setting of the GNU C library and done nowhere else, and not where the environment chooses one.
    """
    malloc_option = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if malloc_option is not None and not os.environ.keys() & set(SETTINGS_OF_USERS):
        for option, value in (MMAP_THRESHOLD, TRIM_THRESHOLD):
            malloc_option(option, value)


def round_convolutions(*, is_allowed: bool) -> None:
    """Let GPUs round the factors of float32 convolutions to 10 bits (TF32), as torch does unless told, or not.

    It is a setting of the process.
    """
    torch.backends.cudnn.allow_tf32 = is_allowed


def name_of(dtype: torch.dtype) -> str:
    """Return the name of a number type, say "float32"."""
    return str(dtype).removeprefix("torch.")


def _named(dtype: object) -> str:
    return str(dtype).removeprefix("torch.") if isinstance(dtype, str | torch.dtype) else shown(dtype)
