"""What a command kept in a folder, and finds there when it is run again: results, masks, a training run."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import torch
from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.commands import run_command
from tests.fuzz.entries.command_line import SHORT_TRAINING
from tests.fuzz.spoiling import spoil_folder, spoiled_json
from tests.support.annotated_folders import write_coco, write_sequences

from masklet.training.run.run_state import STATE_FILE

Words = tuple[str, ...]


def _data(write: Callable[[Path], None], name: str) -> Path:
    path = materials.folder() / name
    if not path.exists():
        write(path)
    return path


def _stills(kept: Path) -> Words:
    data = _data(write_coco, "kept-coco")
    return ("evaluate", "stills", str(data), "--model", str(materials.model()), "--report", str(kept))


def _masks(kept: Path) -> Words:
    data = _data(lambda path: write_sequences(path, frames=3), "kept-davis")
    return ("evaluate", "vos", str(data), "--sequences", "bike", "--masks", str(kept / "repeat"))


def _predictions(kept: Path) -> Words:
    data = _data(lambda path: write_sequences(path, frames=3), "kept-davis")
    chosen = ("--predictor", "repeat", "--sequences", "bike")
    return ("evaluate", "vos", str(data), *chosen, "--save-masks", str(kept))


def _training(kept: Path) -> Words:
    data, model = _data(write_coco, "kept-coco"), str(materials.model())
    return ("train", "finetune-image", "--data", str(data), "--from", model, "-o", str(kept), *SHORT_TRAINING)


def _kept(command: Callable[[Path], Words]) -> Callable[[Path], Path]:
    """The folder that a command fills, copied from where that was done once."""

    def make(folder: Path) -> Path:
        path = materials.folder() / f"kept{command.__name__}"
        if not path.exists():
            run_command(*command(path))
        return materials.copied(path, folder / "kept")

    return make


def _spoil(rng: Random, kept: Path) -> tuple[str, Path]:
    """What commands read again rather than what people look at."""
    if (state := kept / STATE_FILE).exists() and rng.random() < 0.3:
        name, content = spoiled_json(rng, torch.load(state, weights_only=True))
        torch.save(content, state)
        return f"{state.name}: {name}", kept
    names = rng.choice(("*.json*", "*.json*", "*.pt", "*.safetensors", "*.png", "*"))
    return spoil_folder(rng, kept, names if any(kept.rglob(names)) else "*"), kept


def _again(command: Callable[[Path], Words]) -> Callable[[Path], None]:
    def use(kept: Path) -> None:
        run_command(*command(kept))

    return use


ENTRIES = {
    "kept-report": Entry(_kept(_stills), _spoil, _again(_stills)),
    "kept-masks": Entry(_kept(_predictions), _spoil, _again(_masks)),
    "training-run": Entry(_kept(_training), _spoil, _again(_training)),
}
