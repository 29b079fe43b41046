"""The state of a training run on disk, from which it is resumed exactly where it stopped.

Chance needs no state: all of it comes from the recipe's seed and the number of the step.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from masklet.checkpoints.writing import write_pickle
from masklet.errors import CheckpointError, InvalidInputError, is_out_of_memory
from masklet.json_files import shown

STATE_FILE = "training_state.pt"
AVERAGE_FOLDER = "average"
OLDER_KEYS = {"average": "ema_weights"}  # of states that earlier versions saved


@dataclass
class RunState:
    """The state after `step` steps of the recipe `recipe`; all tensors are whole and on the processor.

    Attributes:
        recipe: its name.
        step: how many steps were made.
        model: the network's tensors.
        optimizer: the optimizer's state.
        ema_weights: the moving averages of `model`.
        scaling: the state of float16's loss scale, empty in other precisions.
        skipped: the damaged samples that were met.
    """

    recipe: str
    step: int
    model: dict[str, Any]
    optimizer: dict[str, Any]
    ema_weights: dict[str, Any]
    scaling: dict[str, Any]
    skipped: list[list[str]]

    def save(self, folder: Path) -> None:
        """Write the state.

        Raises:
            CheckpointError: if it cannot be written, on a full disk for example; the one written before is still there.
        """
        try:
            write_pickle(folder / STATE_FILE, vars(self))
        except CheckpointError as error:
            raise CheckpointError(
                f"{error} Training stops after step {self.step}; what was saved before is untouched. "
                "Once the folder can be written again, the same command resumes from there."
            ) from error

    @staticmethod
    @contextmanager
    def damage_named(folder: str | os.PathLike[str]) -> Iterator[None]:
        """Make a CheckpointError that names the file of whatever a state of wrong values ends by within the block."""
        try:
            yield
        except (CheckpointError, InvalidInputError):
            raise
        except Exception as error:  # torch has one for every name, shape and kind
            if is_out_of_memory(error):
                raise
            raise CheckpointError(
                f"{Path(folder) / STATE_FILE} is damaged or no training state ({type(error).__name__}); "
                "remove it to start afresh."
            ) from error

    @classmethod
    def load(cls, folder: str | os.PathLike[str], recipe: str) -> "RunState | None":
        """Load the state saved in `folder`; None if there is none.

        Raises:
            CheckpointError: if it is of another recipe or damaged.
        """
        path = Path(folder) / STATE_FILE
        if not path.exists():
            return None
        with cls.damage_named(folder):  # torch's own message is an essay that advises to read the file unsafely
            content = torch.load(path, map_location="cpu", weights_only=True)
            names = {name: OLDER_KEYS.get(name, name) for name in content}
            state = cls(**{"scaling": {}, "skipped": [], **{names[name]: value for name, value in content.items()}})
            if not isinstance(state.step, int) or state.step < 0:
                raise ValueError
        if state.recipe != recipe:
            raise CheckpointError(
                f"{path} belongs to recipe {shown(state.recipe)}, not {recipe!r}; give another folder."
            )
        return state
