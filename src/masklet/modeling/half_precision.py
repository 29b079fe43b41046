"""Where half precision is worth its rounding."""

import torch


def is_bfloat16_faster(device: torch.device | str) -> bool:
    """Whether the hardware multiplies bfloat16 faster than float32: recent GPUs, and processors with tile units."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and torch.cpu._is_amx_tile_supported()
