"""Every option of every command, with words that it was not made for."""

from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import typer.main
from tests.fuzz import materials
from tests.fuzz.attempt import Entry
from tests.fuzz.commands import run_command
from tests.support.annotated_folders import write_coco, write_sequences

from masklet.cli.main import app

Words = list[str]
NUMBERS = (
    "", " ", "0", "1", "-1", "2", "0.5", "-0", "1e9", "1e400", "nan", "inf", "-inf", "9" * 20, "9" * 1_000, "0x10",
    "\u0661", "1,2", "1,2,3", "1,2,3,4", "-5,-5", "1e30,1e30", "nan,nan", "20,20,2", "20,20@0", "20,20@-1", "20,20@1:0",
    "20,20@" + "9" * 30, "10,10,40,30@1:1", "40,30,10,10", "0:2", "2:0", ":", "5:999", "a:b", "::",
)  # fmt: skip
WORDS = (
    "x", "auto", "float32", "float8_e4m3fn", "complex64", "int8", "torch.float32", "cpu", "cuda", "cuda:99", "cpu:7",
    "meta", "mps", "xla", "hpu", "vulkan", "fast", "all", "grabcut", "both", "masks", "meta.pt", "out.pt", "--", "-",
    "é\u202e☃", "x" * 1_000, "a\nb", "model.image_size=64", "losses.dice=nan", "stages.0.steps=", "=", "a=b", "seed=-1",
    "every=0", "max_objects=1", "points_per_side=4", "granularity=parts", "layers=all",
    "stages.9.steps=1", "data.roots=x", "facebook/none", "a/b/c", "http://localhost:1/x.mp4", "file:///dev/zero",
)  # fmt: skip
PATHS = (
    "missing", "missing/deep/x", ".", "..", "folder", "empty", "text.json", "a.png", "mask.png@2", "clip.mp4", "coco",
    "coco/annotations.json", "davis", "model", "model/config.json", "model/model.safetensors", "folder/" + "n" * 300,
    "/dev/null", "/dev/full", "/proc/self/mem", "a.png/x", "loop",
)  # fmt: skip
# What a training may take that is not only shown.
SHORT_TRAINING = [
    word
    for field in ("stages.0.steps=1", "stages.0.scenes_per_step=1", "prompt_rounds=1", "loader_workers=0")
    for word in ("--set", field)
]
# A valid call of each command; the same files are there for all of them.
CALLS: tuple[Words, ...] = (
    ["segment", "a.png", "--point", "20,20", "--box", "15,10,40,30@2", "--mask", "mask.png@3", "--model", "model"],
    ["track", "clip.mp4", "--box", "15,10,40,30", "--model", "model", "--write", "label-maps"],
    ["track", "clip.mp4", "--everything", "--set", "points_per_side=2", "--policy", "fast", "--model", "model"],
    ["convert", "model", "converted"],
    ["info", "--model", "model"],
    ["data", "check", "coco", "--workers", "1"],
    ["formats", "convert", "coco", "--to", "yolo", "-o", "yolo"],
    ["evaluate", "stills", "coco", "--model", "model", "--limit", "1"],
    ["evaluate", "vos", "davis", "--model", "model", "--predictor", "model", "--sequences", "bike"],
    ["evaluate", "interactive", "davis", "--model", "model", "--frames", "1", "--clicks", "1", "--sequences", "bike"],
    ["evaluate", "everything", "davis", "--model", "model", "--set", "points_per_side=2", "--sequences", "bike"],
    ["train", "finetune-image", "--data", "coco", "--from", "model", *SHORT_TRAINING, "-o", "run", "--show"],
)


@cache
def _parameters(command: tuple[str, ...]) -> list[Any]:
    """The arguments and options of a command, as typer has them; but for --compile, which takes minutes by design."""
    found: Any = typer.main.get_command(app)
    for name in command:
        found = found.commands[name]
    return [parameter for parameter in found.params if parameter.name not in ("help", "is_compiled")]


def _make(folder: Path) -> list[Words]:
    materials.write_image(folder / "a.png")
    materials.write_image(folder / "mask.png", materials.mask().astype(np.uint8) * 255)
    materials.copied(materials.video(), folder / "clip.mp4")
    materials.copied(materials.model(), folder / "model")
    write_coco(folder / "coco")
    write_sequences(folder / "davis", frames=3)
    (folder / "folder").mkdir()
    (folder / "empty").touch()
    (folder / "text.json").write_text("{}")
    (folder / "loop").symlink_to("loop")
    return [list(call) for call in CALLS]


def _spoil(rng: Random, calls: list[Words]) -> tuple[str, list[Words]]:
    """Give one or two options of one command another word, or leave a word of it out."""
    words = rng.choice(calls)
    for _ in range(rng.choice((1, 1, 2))):
        _change(rng, words)
    return " ".join(words)[:500], [words]


def _change(rng: Random, words: Words) -> None:
    command = tuple(words[: 2 if words[0] in ("data", "evaluate", "formats") else 1])
    parameter = rng.choice(_parameters(command))
    value = rng.choice((*NUMBERS, *WORDS, *PATHS))
    name = next((each for each in parameter.opts if each.startswith("-")), None)
    if rng.random() < 0.05:
        del words[rng.randrange(len(command), len(words))]
    elif name is None:
        words[len(command)] = value
    elif getattr(parameter, "is_flag", False):
        words.append(name)
    elif name in words and rng.random() < 0.7:
        words[words.index(name) + 1] = value
    else:
        words += [name, *[value] * parameter.nargs]


def _use(calls: list[Words]) -> None:
    for words in calls:
        run_command(*words)


ENTRIES = {"command-line": Entry(_make, _spoil, _use, share=5)}
