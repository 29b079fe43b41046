"""The prompt file of `masklet segment`."""

import json
from pathlib import Path
from random import Random

import numpy as np
from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.commands import run_command
from tests.fuzz.spoiling import spoil_json_file


def _make(folder: Path) -> Path:
    materials.write_image(folder / "a.png")
    materials.write_image(folder / "masks/a.png", materials.mask().astype(np.uint8) * 255)
    objects = [
        {"points": [[20, 20], [30, 15, 0]]},
        {"id": 5, "box": [15, 10, 40, 30]},
        {"points": [[8, 8, 1]], "mask": "masks/a.png"},
    ]
    (folder / "prompts.json").write_text(json.dumps({"a.png": objects}))
    return folder / "prompts.json"


def _spoil(rng: Random, path: Path) -> tuple[str, Path]:
    return spoil_json_file(rng, path), path


def _use(path: Path) -> None:
    run_command("segment", "--prompts", str(path), "--model", str(materials.model()), "-o", "out")


ENTRIES = {"prompt-file": Entry(_make, _spoil, _use)}
