"""Configuration keys of the seed-era layout, translated into today's; the only file that knows the older spelling."""

from collections.abc import Callable
from typing import Any

from masklet.errors import InvalidInputError
from masklet.json_files import shown

Keys = dict[str, Any]

# Seed-era options that every released model leaves at one value; the network has no other form.
ONLY_VALUE: dict[str, Any] = {
    "fuse_type": "sum",
    "fpn_interpolation_mode": "nearest",
    "feed_forward_hidden_act": "relu",
    "two_way_transformer_activation": "relu",
    "memory_attention_apply_pe_at_self_attn": False,
    "memory_attention_apply_pe_at_cross_attn_keys": True,
    "memory_attention_apply_pe_at_cross_attn_queries": False,
    "memory_fuser_use_depthwise_conv": True,
    "preserve_temporal_direction_in_object_pointers": True,
}
# Seed-era options of no effect on the network: what they controlled is done elsewhere now, or always.
WITHOUT_EFFECT = (
    "fill_hole_area",
    "non_overlap_masks",
    "non_overlap_masks_for_mem_enc",
)
_TRANSLATED = (
    "torch_dtype",
    "stages",
    "window_spec",
    "dim_mul",
    "head_mul",
    "rope_parameters",
    "project_temporal_pos_encoding_in_object_pointers",
)
STILL_READ = ("drop_path_rate",)  # by the backbone, in training
OLDER_NAMES = frozenset({*ONLY_VALUE, *WITHOUT_EFFECT, *_TRANSLATED, *STILL_READ})


def with_current_keys(model_type: str, given: Keys) -> Keys:
    """Return `given` with every older key of this `model_type` replaced by today's.

    Raises `InvalidInputError` for an older option with a value that no released model uses, or that is of the wrong
    kind.
    """
    given = dict(given)
    for name, only in ONLY_VALUE.items():
        if given.get(name, only) != only:
            raise InvalidInputError(
                f"{name}={shown(given[name])} is not supported; every released SAM 2 uses {only!r}."
            )
    _rename(given, {"torch_dtype": "dtype"})
    if given.get("dtype") is not None:
        given["dtype"] = str(given["dtype"]).removeprefix("torch.")
    translate = _TRANSLATORS.get(model_type)
    try:
        return translate(dict(given)) if translate else given
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        older = ", ".join(f"{name}={shown(given[name])}" for name in _TRANSLATED if name in given)
        raise InvalidInputError(f"Older keys of a configuration cannot be translated: {older} ({error}).") from error


def _rename(given: Keys, current_names: dict[str, str]) -> None:
    for older, current in current_names.items():
        if older in given:
            given.setdefault(current, given.pop(older))


def _hiera(given: Keys) -> Keys:
    _rename(given, {"stages": "blocks_per_stage", "window_spec": "window_size_per_stage"})
    stages = range(len(given.get("blocks_per_stage", (1, 2, 7, 2))))
    for factor, first, per_stage in (
        ("dim_mul", "hidden_size", "embed_dim_per_stage"),
        ("head_mul", "num_attention_heads", "num_attention_heads_per_stage"),
    ):
        if factor in given:
            start = given.get(first, {"hidden_size": 96, "num_attention_heads": 1}[first])
            given.setdefault(per_stage, [int(start * given[factor] ** stage) for stage in stages])
            del given[factor]
    for name in ("patch_kernel_size", "patch_stride", "patch_padding", "query_stride"):
        if name in given and given[name] is None:
            del given[name]
        elif isinstance(given.get(name), int):
            given[name] = [given[name]] * 2
    return given


def _composite(given: Keys) -> Keys:
    rope = given.pop("rope_parameters", None)
    if rope:
        given.setdefault("memory_attention_rope_theta", rope.get("rope_theta", 10000))
    if given.pop("project_temporal_pos_encoding_in_object_pointers", True) is False:
        # Released 2.0 models have neither projection nor encoding; the seed's converter turned off only the first.
        given["enable_temporal_pos_encoding_for_object_pointers"] = False
    return given


_TRANSLATORS: dict[str, Callable[[Keys], Keys]] = {"sam2_hiera_det_model": _hiera, "sam2_video": _composite}
