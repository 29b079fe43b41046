"""Random weights under which every part of the network shows in the output.

A freshly initialised SAM 2 hides faults: its position tables and biases are zero, its norms the identity, its logits
nearly constant.
"""

import torch
from torch import nn

SHARED_MATRIX = "prompt_encoder.shared_embedding.positional_embedding"
SHARED_MATRIX_COPY = "shared_image_embedding.positional_embedding"
TABLES = (
    "pos_embed",
    "pos_embed_window",
    "no_memory_embedding",
    "no_memory_positional_encoding",
    "memory_temporal_positional_encoding",
    "no_object_pointer",
    "occlusion_spatial_embedding_parameter",
    "scale",
)
TABLE_MODULES = ("point_embed", "not_a_point_embed", "no_mask_embed", "iou_token", "mask_tokens", "obj_score_token")
# The last layers spread the logits: some masks must be stable and some not, some objects present and some absent.
# Attention to memory is made sharp: where it is even, positions do not matter.
GAINS = {
    "output_hypernetworks_mlps": 1.5,
    "pred_obj_score_head": 2.0,
    "iou_prediction_head": 2.0,
    "cross_attn_image.q_proj": 3.0,
}


@torch.no_grad()
def randomise(model: nn.Module, seed: int = 0) -> nn.Module:
    """Fill every tensor of a SAM 2 under transformers' names with seeded normal values, in place; returns `model`."""
    generator = torch.Generator().manual_seed(seed)
    state = model.state_dict()
    for name, value in sorted(state.items()):
        value.copy_(torch.randn(value.shape, generator=generator) * _spread(name, value) + _centre(name))
    if SHARED_MATRIX in state:  # one matrix that the layout stores twice
        state[SHARED_MATRIX_COPY].copy_(state[SHARED_MATRIX])
    return model


def _centre(name: str) -> float:
    return 1.0 if "layer_norm" in name and name.endswith("weight") else 0.0


def _spread(name: str, value: torch.Tensor) -> float:
    """Standard deviation; 1/sqrt(fan in) for matrices and kernels, so that activations keep their size on the way."""
    *_, module, tensor = ("", *name.split("."))
    if "layer_norm" in name or tensor == "bias":
        return 0.1
    if tensor == "positional_embedding":
        return 1.0
    if tensor in TABLES or module in TABLE_MODULES:
        return 0.5
    fan_in = len(value) if "upscale_conv" in name else value[0].numel()  # transposed convolutions store inputs first
    gain = next((gain for part, gain in GAINS.items() if part in name), 1.0)
    return float(gain / fan_in**0.5)
