"""Every way to run a model on a processor, agreement beside speed: `python -m benchmarks.runtimes --folder FOLDER`.

Each model, number of threads, group of tasks and lane of contenders is a part, measured in one go: the contenders in
turn, masklet in eager among them in each lane. A part is written as soon as it is complete, and left out if it is in
the output already, measured on a processor like this one. So the command can be stopped and given again, or be given
the parts of a quiet quarter of an hour: `--models tiny --threads 2 --tasks images --lanes onnxruntime`. What is rounded
to bfloat16 takes part where the processor multiplies that faster.

FOLDER keeps the weights, and the references' own encoders as graphs. masklet's graphs are measured once they lie there.
A part whose graphs or whose reference are missing is named, and measured when the command is given again:

    python -m benchmarks.runtimes --folder weights --tasks
    masklet export weights/tiny/folder -o weights/tiny/exported
    masklet export weights/bundled/folder -o weights/bundled/exported
    python -m benchmarks.runtimes --folder weights

Writes `benchmarks/results/runtimes.json`; `python -m benchmarks.tables FILE` prints it.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.contenders import LANES, Contender, MissingContenderError, contenders
from benchmarks.measuring import Row, largest_difference, machine, processor, time_in_turn, versions, write_report
from benchmarks.opponents import CONFIGURATION, write_weights
from benchmarks.references import configurations
from benchmarks.video import FRAMES_TO_FILL_THE_BANK, drifting_noise

RESULTS = Path(__file__).parent / "results" / "runtimes.json"
OBJECTS = {"1 object": 1, "3 objects": 3, "8 objects": 8}
IMAGES = "images"
ENCODING = "encode an image"
PROMPTS = 64
PART = ("model", "threads", "lane", "tasks")
"""What names a part, beside the processor."""

Work = Callable[[Contender], Sequence[Tensor]]


def configuration_of(model: str) -> dict[str, Any]:
    """The configuration of SAM 2.1 tiny at 1024, or of the bundled model."""
    if model == "tiny":
        return configurations.tiny_video()
    from masklet.configuration import Sam2Config

    return {**Sam2Config.from_pretrained(None).to_dict(), "model_type": "sam2_video"}


def weights_of(model: str, place: Path) -> Path:
    """Return the folder of a model's weights in a place, written if they are not there."""
    folder = place / model
    if not (folder / CONFIGURATION).exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_weights(configuration_of(model), folder)
    return folder


def measure_part(ways: list[Contender], size: int, task: str, rounds: int) -> list[dict[str, Any]]:
    """Measure a group of tasks with all contenders in turn."""
    with torch.inference_mode():
        return _images(ways, size, rounds) if task == IMAGES else _video(ways, size, task, rounds)


def _images(ways: list[Contender], size: int, rounds: int) -> list[dict[str, Any]]:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randn(1, 3, size, size, generator=generator)
    points = torch.rand(PROMPTS, 2, generator=generator) * size
    encoded = {each.name: each.image.encode(pixels) for each in ways}

    def decode(prompts: int) -> Work:
        return lambda each: [each.image.decode(encoded[each.name], points[:prompts])[0].float()]

    tasks: dict[str, Work] = {
        ENCODING: lambda each: [level.float() for level in each.image.encode(pixels)],
        "decode 1 prompt": decode(1),
        f"decode {PROMPTS} prompts": decode(PROMPTS),
    }
    able = {name: [each for each in ways if each.video is not None or name == ENCODING] for name in tasks}
    return [row for name, work in tasks.items() for row in _measured(name, work, able[name], rounds)]


def _video(ways: list[Contender], size: int, task: str, rounds: int) -> list[dict[str, Any]]:
    """Frames in turn, after as many as fill the bank; all go through the same video."""
    objects = OBJECTS[task]
    pixels, points = drifting_noise(size, objects, FRAMES_TO_FILL_THE_BANK + 1 + rounds)
    tracking = [each for each in ways if each.video is not None]
    for each in tracking:
        each.video.open(pixels, points)
        for _ in range(FRAMES_TO_FILL_THE_BANK):
            each.video.next_frame()
    return _measured(f"a frame, {task}", lambda each: each.video.next_frame(), tracking, rounds)


def _measured(task: str, work: Work, ways: list[Contender], rounds: int) -> list[dict[str, Any]]:
    rows = [Row(task, each.name) for each in ways]
    results = [work(each) for each in ways]
    time_in_turn(rows, work, ways, rounds)
    is_mask = task != ENCODING
    return [row.summary() | _agreement(result, results[0], is_mask) for row, result in zip(rows, results, strict=True)]


def _agreement(actual: Sequence[Tensor], expected: Sequence[Tensor], is_mask: bool) -> dict[str, float | None]:
    """The largest difference as a share of the largest value; of masks also the share of equal pixels.

    A smaller image has other features (None); its masks are enlarged.
    """
    if any(one.shape != other.shape for one, other in zip(actual, expected, strict=True)):
        if not is_mask:
            return {"difference": None, "equal_pixels": None}
        size = expected[0].shape[-2:]
        actual = [torch.nn.functional.interpolate(each, size, mode="bilinear") for each in actual]
    equal = float(((actual[0] > 0) == (expected[0] > 0)).float().mean()) if is_mask else None
    return {"difference": largest_difference(actual, expected), "equal_pixels": equal}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="of weights and exported graphs")
    parser.add_argument("--models", nargs="+", choices=["tiny", "bundled"], default=["bundled", "tiny"])
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--tasks", nargs="*", choices=[IMAGES, *OBJECTS], default=[IMAGES, *OBJECTS])
    parser.add_argument("--lanes", nargs="+", choices=LANES, default=LANES)
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender is timed (default 3)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    for model in options.models:
        folder = weights_of(model, options.folder)
        for part in _missing_parts(options, model):
            try:
                _add(options.output, part | _measured_part(folder, part, options.rounds))
            except MissingContenderError as error:
                print(f"{', '.join(map(str, part.values()))}: not measured, because {error}", file=sys.stderr)


def _missing_parts(options: argparse.Namespace, model: str) -> Iterator[dict[str, Any]]:
    """Yield what names the parts of a model that are not in the output."""
    chosen = product([model], options.threads, options.lanes, options.tasks)
    here = processor(machine())
    parts = _report(options.output)["parts"]
    done = [{name: part[name] for name in PART} for part in parts if processor(part["machine"]) == here]
    yield from (part for values in chosen if (part := dict(zip(PART, values, strict=True))) not in done)


def _measured_part(folder: Path, part: dict[str, Any], rounds: int) -> dict[str, Any]:
    torch.set_num_threads(part["threads"])  # which the other runtimes follow when they open their graphs
    size = json.loads((folder / CONFIGURATION).read_text())["image_size"]
    rows = measure_part(list(contenders(folder, part["lane"])), size, part["tasks"], rounds)
    return {"image_size": size, "machine": machine(), "versions": versions(), "rows": rows}


def _report(output: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(output.read_text()) if output.exists() else {"parts": []}
    return report


def _add(output: Path, part: dict[str, Any]) -> None:
    report = _report(output)
    report["parts"].append(part)
    write_report(report, output)


if __name__ == "__main__":
    main()
