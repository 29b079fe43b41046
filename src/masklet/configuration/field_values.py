"""Types and ranges of the values of a configuration's fields."""

import math
from collections.abc import Mapping
from numbers import Integral, Real
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin

from masklet.errors import InvalidInputError
from masklet.json_files import shown


class Range(NamedTuple):
    """The least and the largest value that are allowed."""

    least: float
    most: float


# Channels, tokens, pixels, layers: what no network has more of, and more than memory and time are good for.
SIZE = Range(1, 2**16)
SIZE_OR_NONE = Range(0, 2**16)
LAYERS = Range(1, 1_000)
WHOLE = Range(-(2**31), 2**31 - 1)
NUMBER = Range(-1e30, 1e30)  # what float32 holds, with room to compute
FRACTION = Range(0, 1)

RANGES = {
    "blocks_per_stage": LAYERS,
    "drop_path_rate": FRACTION,
    "fpn_padding": SIZE_OR_NONE,
    "fpn_top_down_levels": SIZE_OR_NONE,
    "global_attention_blocks": SIZE_OR_NONE,
    "image_size": WHOLE,  # `Sam2Config.set_image_size` knows more
    "initializer_range": FRACTION,
    "iou_head_depth": LAYERS,
    "layer_norm_eps": FRACTION,
    "mask_downsampler_padding": SIZE_OR_NONE,
    "mask_input_channels": Range(4, 2**16),
    "max_cond_frame_num": WHOLE,  # -1: as many as there are
    "max_object_pointers_in_encoder": SIZE_OR_NONE,
    "memory_attention_dropout": FRACTION,
    "memory_attention_num_layers": LAYERS,
    "memory_attention_rope_dropout": FRACTION,
    "max_hole_share": FRACTION,
    "memory_attention_rope_theta": Range(1, 1e30),
    "memory_fuser_num_layers": LAYERS,
    "memory_fuser_padding": SIZE_OR_NONE,
    "mlp_ratio": Range(0, 1_000),
    "multimask_max_pt_num": WHOLE,
    "multimask_min_pt_num": WHOLE,
    "num_hidden_layers": LAYERS,
    "num_maskmem": SIZE_OR_NONE,
    "num_point_embeddings": Range(4, 2**16),  # clicks off and on the object, and two corners of a box
    "num_query_pool_stages": SIZE_OR_NONE,
    "patch_padding": SIZE_OR_NONE,
}
"""Fields whose numbers have another range than the usual one: `SIZE` for int, `NUMBER` for float."""

MOST_LABELS = 100_000
_LONGEST_LIST = 1_000
_NUMBER_KINDS: dict[type, type] = {int: Integral, float: Real}


def field_value(value: Any, name: str, kind: Any) -> Any:
    """Return the value of a field as JSON holds it.

    Args:
        value: what was given; not None, which stands for the default.
        name: of the field.
        kind: its annotation: bool, int, float or str, lists of these, one of them or None, or an int or a list of
            them. Fields of other kinds are returned as they are.

    Raises:
        InvalidInputError: if the value is of another kind or beyond the range.
    """
    options = [option for option in get_args(kind) if option is not NoneType]
    if kind == int | list[int]:
        return field_value(value, name, list[int] if isinstance(value, list | tuple) else int)
    if get_origin(kind) is list:
        return [field_value(each, name, options[0]) for each in _listed(value, name, kind)]
    if NoneType in get_args(kind):
        return field_value(value, name, options[0])
    if kind not in (bool, int, float, str):
        return value
    if not isinstance(value, _NUMBER_KINDS.get(kind, kind)) or (isinstance(value, bool) and kind is not bool):
        raise InvalidInputError(f"{name}={shown(value)} in a configuration; it must be of the type {kind.__name__}.")
    if kind in _NUMBER_KINDS:
        _check_range(value, name, RANGES.get(name, SIZE if kind is int else NUMBER))
    return value if isinstance(value, bool | int | str) else kind(value)  # numpy's numbers are none of JSON's


def labels_of(value: Any) -> dict[int, str]:
    """Return `id2label`, whose whole numbers JSON turns into strings; InvalidInputError if it is none."""
    try:
        return {int(index): label for index, label in dict(value or {}).items()}
    except (TypeError, ValueError, OverflowError):
        raise InvalidInputError(
            f"id2label={shown(value)} in a configuration; it maps whole numbers to names."
        ) from None


def fields_of(values: Any, *path: str) -> dict[str, Any]:
    """Return the object at the end of a path of keys inside a configuration; a key that is not there is skipped.

    InvalidInputError if what is there is no object.
    """
    for key in ("", *path):
        values = values.get(key, values) if key else values
        if not isinstance(values, Mapping):
            where = f" under {key!r}" if key else ""
            raise InvalidInputError(f"A configuration is a JSON object; got {shown(values)}{where}.")
    return dict(values)


def _listed(value: Any, name: str, kind: Any) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) > _LONGEST_LIST:
        item = getattr(get_args(kind)[0], "__name__", "list")
        raise InvalidInputError(f"{name}={shown(value)} in a configuration; it must be a short list of {item}.")
    return list(value)


def _check_range(value: Any, name: str, allowed: Range) -> None:
    is_finite = isinstance(value, Integral) or math.isfinite(value)
    if not is_finite or not allowed.least <= value <= allowed.most:
        raise InvalidInputError(
            f"{name}={shown(value)} in a configuration; it must be from {allowed.least:g} to {allowed.most:g}."
        )
