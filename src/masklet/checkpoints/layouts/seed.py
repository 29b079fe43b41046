"""The seed-era names (Hugging Face's layout of July 2025, before its release)."""

from collections.abc import Mapping
from typing import Any

from masklet.checkpoints.renaming import Layout, Renamed, Stacked
from masklet.errors import CheckpointError

_MASK_DOWNSAMPLER = "memory_encoder.mask_downsampler"

SEED = Layout(
    name="seed",
    signs=(r"\.out_proj\.", r"^prompt_encoder\.point_embed\.\d", r"^memory_encoder\.mask_downsampler\.encoder\."),
    renamed=(
        Renamed("mask_decoder.transformer.layers.#.*.out_proj", "mask_decoder.transformer.layers.#.*.o_proj"),
        Renamed("mask_decoder.transformer.*.out_proj", "mask_decoder.transformer.*.o_proj"),
        Renamed("memory_attention.layers.#.*.out_proj", "memory_attention.layers.#.*.o_proj"),
        Renamed(f"{_MASK_DOWNSAMPLER}.encoder.0", f"{_MASK_DOWNSAMPLER}.layers.0.conv"),
        Renamed(f"{_MASK_DOWNSAMPLER}.encoder.1", f"{_MASK_DOWNSAMPLER}.layers.0.layer_norm"),
        Renamed(f"{_MASK_DOWNSAMPLER}.encoder.3", f"{_MASK_DOWNSAMPLER}.layers.1.conv"),
        Renamed(f"{_MASK_DOWNSAMPLER}.encoder.4", f"{_MASK_DOWNSAMPLER}.layers.1.layer_norm"),
        Renamed(f"{_MASK_DOWNSAMPLER}.encoder.6", f"{_MASK_DOWNSAMPLER}.layers.2.conv"),
        Renamed(f"{_MASK_DOWNSAMPLER}.encoder.7", f"{_MASK_DOWNSAMPLER}.layers.2.layer_norm"),
        Renamed(f"{_MASK_DOWNSAMPLER}.encoder.9", f"{_MASK_DOWNSAMPLER}.layers.3.conv"),
        Renamed(f"{_MASK_DOWNSAMPLER}.encoder.10", f"{_MASK_DOWNSAMPLER}.layers.3.layer_norm"),
        Renamed(f"{_MASK_DOWNSAMPLER}.encoder.12", f"{_MASK_DOWNSAMPLER}.final_conv"),
    ),
    combined=(Stacked("prompt_encoder.point_embed.#.weight", "prompt_encoder.point_embed.weight"),),
)

# How a configuration differs between today's spelling (left) and the seed era's (right). Reading it is the work of
# `masklet.configuration`; this is for writing.
RENAMED_KEYS = {"dtype": "torch_dtype", "blocks_per_stage": "stages", "window_size_per_stage": "window_spec"}
# Lists of equal numbers that were one number.
SQUARE_KEYS = ("image_size", "patch_kernel_size", "patch_stride", "patch_padding")
# Lists that were a first value (the other key of the pair) and a factor from stage to stage.
GEOMETRIC_KEYS = {
    "embed_dim_per_stage": ("hidden_size", "dim_mul"),
    "num_attention_heads_per_stage": ("num_attention_heads", "head_mul"),
}
# Keys that did not exist, with the one value that the network of that time had.
FIXED_KEYS = {"mlp_ratio": 4.0, "max_cond_frame_num": -1, "memory_fuser_intermediate_dim": 1024}
COMPOSITE_MODEL_TYPE = "sam2"


def config_in_seed_layout(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration dictionary, nested ones included, with the seed-era keys.

    Raises `CheckpointError` for a value that the seed-era keys cannot express.
    """
    seed: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and key.endswith("_config"):
            seed[key] = config_in_seed_layout(value)
        elif key in FIXED_KEYS:
            if value != FIXED_KEYS[key]:
                raise _inexpressible(key, value)
        elif key in GEOMETRIC_KEYS:
            first, factor = GEOMETRIC_KEYS[key]
            seed[first], seed[factor] = _as_geometric(key, value)
        elif key in SQUARE_KEYS and isinstance(value, list):
            if len(set(value)) != 1:
                raise _inexpressible(key, value)
            seed[key] = value[0]
        else:
            seed[RENAMED_KEYS.get(key, key)] = value
    if "enable_temporal_pos_encoding_for_object_pointers" in seed:
        encodes_time = seed["enable_temporal_pos_encoding_for_object_pointers"]
        seed["project_temporal_pos_encoding_in_object_pointers"] = encodes_time
        seed["model_type"] = COMPOSITE_MODEL_TYPE
    return seed


def _as_geometric(key: str, values: list[int]) -> tuple[int, float]:
    factor = values[1] / values[0] if len(values) > 1 else 2.0
    if values != [int(values[0] * factor**stage) for stage in range(len(values))]:
        raise _inexpressible(key, values)
    return values[0], factor


def _inexpressible(key: str, value: Any) -> CheckpointError:
    return CheckpointError(
        f"The seed-era configuration cannot express {key}={value}; write the layout 'current' instead."
    )
