"""A run that begins with the weights of a checkpoint."""

import os

from masklet.checkpoints.opening import open_checkpoint
from masklet.configuration import Sam2Config
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.video_network import VideoNetwork


def load_initial_weights(model: VideoNetwork, source: str | os.PathLike[str]) -> bool:
    """Take the weights of a folder, file or hub id, and say whether memory was among them; if not, it stays as it is.

    Raises `CheckpointError` for a checkpoint that does not fit.
    """
    _, tensors = open_checkpoint(source, Sam2Config)
    has_memory = any(name.startswith("memory_") for name in tensors)
    weights = (VideoNetwork if has_memory else Sam2Model).from_pretrained(source).state_dict()
    model.load_state_dict(weights, strict=has_memory)
    return has_memory
