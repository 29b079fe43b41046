"""Prompts and memories of a session to named tensors and back, checked: a file may hold anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from masklet.configuration import Sam2Config
from masklet.errors import InvalidInputError
from masklet.masks.views import View
from masklet.prompts.prompt import Prompt
from masklet.tracking.frame_prompt import points_of_prompt, prompt_of_points
from masklet.tracking.memory_bank import FrameMemory, view_tensor

Tensors = dict[str, Tensor]
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def stored(value: Prompt | FrameMemory, place: str) -> Tensors:
    """Return the tensors of a value, each with memory of its own on the CPU, by names that begin with `place`/."""
    return {
        f"{place}/{field}": tensor.detach().cpu().clone().contiguous()
        for field, tensor in (_fields(value) if isinstance(value, Prompt) else value.stored()).items()
        if isinstance(tensor, Tensor)
    }


def stored_view(view: View | None, place: str) -> Tensors:
    """Return the view that a prompt is placed in as `TensorReader.view` takes it; nothing if it is the whole frame."""
    return {} if view is None else {f"{place}/view": view_tensor(view)}


def _fields(prompt: Prompt) -> Tensors:
    """Return a prompt as `TensorReader.prompt` takes it."""
    points, labels = points_of_prompt(prompt)
    mask = {} if prompt.mask is None else {"mask": torch.tensor(prompt.mask)}
    return {"points": points, "labels": labels, **mask}


def write_tensors(tensors: Tensors, path: Path) -> None:
    """Write tensors to a file; OSError if that fails, as on a full disk, for which safetensors has another kind."""
    try:
        save_file(tensors, path)
    except SafetensorError as error:
        raise OSError(f"{path} cannot be written: {error}") from error


def below(tensors: Mapping[str, Tensor], place: str) -> Tensors:
    """Return the tensors whose names begin with `place`/, without that beginning."""
    prefix = f"{place}/"
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


@dataclass(frozen=True)
class TensorReader:
    """Makes prompts and memories of tensors, for a network; InvalidInputError for tensors that are not its own.

    Attributes:
        config: of the network that they were made for.
        dtype: of memory features in the session.
        device: where memories go.
        video_size: height and width of the video, which views are parts of; None: there are no views.
    """

    config: Sam2Config
    dtype: torch.dtype
    device: torch.device
    video_size: tuple[int, int] | None

    def prompt(self, tensors: Tensors) -> Prompt:
        """Return the prompt that these tensors, by the names of its fields, make."""
        side = self.config.image_size
        count = len(tensors["labels"]) if "labels" in tensors and tensors["labels"].ndim == 1 else 0
        points = _tensor(tensors, "points", (count, 2), (torch.float32,))
        labels = _tensor(tensors, "labels", (count,), (torch.int64,))
        mask = _tensor(tensors, "mask", (side, side), (torch.bool,)) if "mask" in tensors else None
        if not count and mask is None:
            raise InvalidInputError("A prompt is empty.")
        return prompt_of_points(points, labels, mask)

    def memory(self, tensors: Tensors, reverse: bool | None) -> FrameMemory:
        """Return the memory that these tensors, by the names of its fields, make; `features` may be missing."""
        config, prompts = self.config, self.config.prompt_encoder_config
        height, width = prompts.image_embedding_size
        cells = (height * width, config.memory_encoder_output_channels)

        def placed(name: str, shape: tuple[int, ...], dtypes: tuple[torch.dtype, ...] = FLOATS) -> Tensor:
            return _tensor(tensors, name, shape, dtypes).to(self.device)

        return FrameMemory(
            logits=placed("logits", prompts.mask_input_size),
            iou=placed("iou", ()),
            object_score=placed("object_score", ()),
            pointer=placed("pointer", (config.memory_attention_hidden_size,)),
            features=placed("features", cells, (self.dtype,)) if "features" in tensors else None,
            reverse=reverse,
            view=self.view(tensors),
        )

    def view(self, tensors: Tensors) -> View | None:
        """Return the part of the frame that a prompt or a memory is about; None: all of it."""
        if "view" not in tensors:
            return None
        view = View(*_tensor(tensors, "view", (4,), (torch.int64,)).tolist())
        height, width = self.video_size or (0, 0)
        if not (0 <= view.left < view.right <= width and 0 <= view.top < view.bottom <= height):
            raise InvalidInputError(f"{view} is no part of a video of {width} x {height} pixels.")
        return view


def _tensor(tensors: Tensors, name: str, shape: tuple[int, ...], dtypes: tuple[torch.dtype, ...]) -> Tensor:
    if name not in tensors:
        raise InvalidInputError(f"The tensor {name} is missing.")
    found = tensors[name]
    if tuple(found.shape) != shape or found.dtype not in dtypes:
        raise InvalidInputError(
            f"The tensor {name} is {found.dtype} {list(found.shape)}; expected was {dtypes[0]} {list(shape)}."
        )
    return found
