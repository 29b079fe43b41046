"""The record of a training run: its whole configuration and its source, in JSON beside the state and the weights."""

import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

import masklet
from masklet.atomic_files import written_whole
from masklet.configuration import Sam2Config
from masklet.errors import CheckpointError, InvalidInputError
from masklet.json_files import read_json
from masklet.training.network.building import weights_checksum
from masklet.training.settings.overrides import overridden, settings, todays_name
from masklet.training.settings.procedure import LossWeights
from masklet.training.settings.recipe import Recipe

RECORD_FILE = "run.json"
_OF_THE_MODEL, _OF_THE_LOSSES = "model.", "losses."
# What may change when a run is resumed: how steps are computed, not what they are.
_OF_THE_MACHINE = ("hardware.", "loader_workers", "save_every")


@dataclass(frozen=True)
class RunRecord:
    """The content of `run.json`.

    Attributes:
        recipe: the recipe's name.
        settings: its fields by their dotted names.
        masklet: the version.
        torch: the version.
        git: commit and state of the checkout; None where masklet runs from none.
        initial_checksum: of the tensors of `initial_weights` when the run began; None without any, and of older runs.
    """

    recipe: str
    settings: dict[str, str]
    masklet: str
    torch: str
    git: dict[str, Any] | None
    initial_checksum: str | None = None

    @classmethod
    def of(cls, recipe: Recipe) -> "RunRecord":
        """Make the record of a run that begins, or is resumed, now."""
        return cls(
            recipe=recipe.name,
            settings=settings(recipe),
            masklet=masklet.__version__,
            torch=torch.__version__,
            git=git_state(Path(masklet.__file__)),
            initial_checksum=weights_checksum(recipe.initial_weights),
        )

    @classmethod
    def load(cls, folder: Path) -> "RunRecord | None":
        """Read the record in `folder`, None if it has none; earlier names of fields are read as today's.

        Raises:
            CheckpointError: for a damaged record.
        """
        path = folder / RECORD_FILE
        if not path.exists():
            return None
        try:
            record = cls(**read_json(path))
        except (InvalidInputError, TypeError) as error:
            raise CheckpointError(f"{path} is damaged; remove it to continue without its check.") from error
        if not record._is_sound():
            raise CheckpointError(f"{path} is no record of a run; remove it to continue without its check.")
        return replace(record, settings={todays_name(name): text for name, text in record.settings.items()})

    def _is_sound(self) -> bool:
        """Return whether all values, which came from a file, are of their kinds."""
        texts = [self.recipe, self.masklet, self.torch, self.initial_checksum or ""]
        are_settings = isinstance(self.settings, dict) and all(isinstance(each, str) for each in self.settings.values())
        is_git = self.git is None or (isinstance(self.git, dict) and {"commit", "dirty"} <= self.git.keys())
        return are_settings and is_git and all(isinstance(each, str) for each in texts)

    def model_config(self) -> Sam2Config:
        """Return the configuration of the network that was trained."""
        return overridden(Sam2Config(), self._assignments(_OF_THE_MODEL))

    def losses(self) -> LossWeights:
        """Return the loss weights of that run."""
        return overridden(LossWeights(), self._assignments(_OF_THE_LOSSES))

    def _assignments(self, prefix: str) -> list[str]:
        own = (f"{name}={text}" for name, text in self.settings.items() if name.startswith(prefix))
        return [each.removeprefix(prefix) for each in own]

    def save(self, folder: Path) -> None:
        """Write `run.json`; the file is always a complete one."""
        with written_whole(folder / RECORD_FILE) as unfinished:
            unfinished.write_text(json.dumps(vars(self), indent=2) + "\n", encoding="utf-8")

    def check_goes_on(self, folder: Path) -> None:
        """Check that a run in `folder` was begun with these settings: resumed with others, it would be neither run.

        Raises:
            CheckpointError: if it was begun with others.
        """
        record = RunRecord.load(folder)
        if record is None:
            return
        begun = record.settings
        changed = [
            f"{name}={self.settings.get(name)} (begun with {begun.get(name)})"
            for name in sorted(begun.keys() | self.settings.keys())
            if not _is_same(begun.get(name), self.settings.get(name)) and not name.startswith(_OF_THE_MACHINE)
        ]
        if changed:
            raise CheckpointError(f"The run in {folder} has other settings: {', '.join(changed)}. Give another folder.")

    def going_on(self, folder: Path) -> "RunRecord":
        """Return this record for a resumed run in `folder`, whose state came from the weights that it began with."""
        begun = RunRecord.load(folder)
        return replace(self, initial_checksum=begun.initial_checksum if begun else None)


def _is_same(one: str | None, other: str | None) -> bool:
    """Return whether two settings are the same: 1 and 1.0 are."""
    try:
        return one == other or float(one or "") == float(other or "")
    except ValueError:
        return False


def git_state(module: Path) -> dict[str, Any] | None:
    """Return the commit that the package of the file `module` is checked out at, and whether any of its files differs.

    None where git does not know the file: an installed package may lie within the checkout of something else.
    """

    def git(*arguments: str) -> str:
        asked = ["git", "-C", str(module.parent), *arguments]
        return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=60).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", "--", module.name)
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--", "."))}
    except (OSError, subprocess.SubprocessError):
        return None
