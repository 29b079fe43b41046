"""Initial weights from a checkpoint."""

import hashlib
import os

import torch

from masklet.checkpoints.fitting import WithoutRandomValues, check_fit
from masklet.checkpoints.opening import open_checkpoint
from masklet.configuration import Sam2Config
from masklet.errors import CheckpointError, InvalidInputError
from masklet.modeling.image_model import Sam2Model
from masklet.modeling.video_network import VideoNetwork
from masklet.training.settings.overrides import settings

DIFFERENCES_SHOWN = 5


def load_initial_weights(model: VideoNetwork, source: str | os.PathLike[str]) -> bool:
    """Load the weights of a folder, file or hub id, and return whether memory was among them; if not, it stays.

    Raises:
        CheckpointError: for a broken checkpoint.
        InvalidInputError: for one of another shape than the model.
    """
    _, tensors = open_checkpoint(source, Sam2Config)
    has_memory = any(name.startswith("memory_") for name in tensors)
    checkpoint = (VideoNetwork if has_memory else Sam2Model).from_pretrained(source)
    _require_fit(checkpoint, model.config, source)
    model.load_state_dict(checkpoint.state_dict(), strict=has_memory)
    return has_memory


def weights_checksum(source: str | os.PathLike[str] | None) -> str | None:
    """Return the SHA-256 of a checkpoint's tensors, whatever its layout; None if there is no such checkpoint."""
    if source is None:
        return None
    try:
        _, tensors = open_checkpoint(source, Sam2Config)
    except CheckpointError:
        return None
    whole = hashlib.sha256()
    for name in sorted(tensors):
        whole.update(f"{name} {tuple(tensors[name].shape)} {tensors[name].dtype};".encode())
        whole.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()


def _require_fit(checkpoint: Sam2Model | VideoNetwork, config: Sam2Config, source: str | os.PathLike[str]) -> None:
    """Raise `InvalidInputError` naming the settings in which the recipe's network is another than the checkpoint's."""
    with WithoutRandomValues():
        wanted = type(checkpoint)(config).state_dict()
    try:
        check_fit(wanted, checkpoint.state_dict(), f"{source} does not fit")
    except CheckpointError as error:
        own = settings(Sam2Config.from_dict({**checkpoint.config.to_dict(), "image_size": config.image_size}))
        differing = [
            f"model.{name}={text} (checkpoint: {own.get(name)})"
            for name, text in settings(config).items()
            if own.get(name) != text
        ]
        rest = len(differing) - DIFFERENCES_SHOWN
        listed = ", ".join(differing[:DIFFERENCES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
        raise InvalidInputError(
            f"The checkpoint {source} does not fit the network that is to be trained, which has {listed}. "
            "Give the network the checkpoint's settings (--set), or name another checkpoint (--from)."
        ) from error
