"""A training run on disk: what is needed to go on exactly where it stopped."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from masklet.atomic_files import written_whole
from masklet.errors import CheckpointError

STATE_FILE = "training_state.pt"
AVERAGE_FOLDER = "average"


@dataclass
class RunState:
    """Tensors of model, optimizer and average after `step` steps of the recipe called `recipe`."""

    recipe: str
    step: int
    model: dict[str, Any]
    optimizer: dict[str, Any]
    average: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Write the state; the file is always a complete one."""
        with written_whole(folder / STATE_FILE) as unfinished:
            torch.save(vars(self), unfinished)

    @classmethod
    def load(cls, folder: str | os.PathLike[str], recipe: str) -> "RunState | None":
        """The state saved in `folder`, or None. Raises `CheckpointError` if it is of another recipe or damaged."""
        path = Path(folder) / STATE_FILE
        if not path.exists():
            return None
        try:
            state = cls(**torch.load(path, map_location="cpu", weights_only=True))
        except Exception as error:
            # torch's own message is an essay that advises to read the file unsafely.
            raise CheckpointError(
                f"{path} is damaged or no training state ({type(error).__name__}); remove it to start afresh."
            ) from error
        if state.recipe != recipe:
            raise CheckpointError(f"{path} belongs to recipe {state.recipe!r}, not {recipe!r}; give another folder.")
        return state
