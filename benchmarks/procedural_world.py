"""How fast the procedural world is made, and what it looks like: `python -m benchmarks.procedural_world IMAGES...`.

Times scenes and clips of the recipe `compact` (256 pixels, 8 frames) made by one loader process on one core, beside the
training steps that use them, in turn; writes `benchmarks/results/procedural_world.json`, and with `--sheet FILE` a
image of some scenes and clips.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import torch

from benchmarks.measuring import machine, versions, write_report
from masklet.atomic_files import written_whole
from masklet.datasets.scenes import ImageBank
from masklet.datasets.scenes.contact_sheet import contact_sheet
from masklet.modeling.video_network import VideoNetwork
from masklet.training.procedure.training_step import clip_step, image_step
from masklet.training.recipes import recipe_named
from masklet.training.settings.recipe import Recipe
from masklet.training.settings.stages import ClipStage, Stage
from masklet.training.supply.clip_batches import ClipBatch
from masklet.training.supply.data_source import TrainingData, open_training_data
from masklet.training.supply.image_batches import SceneBatch
from masklet.training.supply.micro_batches import StepSlice

RESULTS = Path(__file__).parent / "results" / "procedural_world.json"
QUALITY = 75


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds: other processes on the machine do not count."""
    start = time.process_time()
    work()
    return time.process_time() - start


def train_on(model: VideoNetwork, batch: SceneBatch | ClipBatch, recipe: Recipe, step: int) -> None:
    """Loss and gradients, as the trainer computes them."""
    if isinstance(batch, ClipBatch):
        loss = clip_step(model, batch, recipe, (step, 0))
    else:
        loss = image_step(model, batch, recipe, (step, 0))
    model.zero_grad()
    loss.total.backward()


def rates(data: TrainingData, stage: Stage, samples: int, rounds: int) -> dict[str, float]:
    """Samples a second that one core makes, and that training on one core uses."""
    recipe, batches = data.recipe, data.batches_for(stage, StepSlice(), 0, rounds)
    model = VideoNetwork(recipe.model)
    model.resize(stage.image_size)
    model.vision_encoder.requires_grad_(not isinstance(stage, ClipStage) or stage.train_image_encoder)
    making, using = [], []
    for step in range(rounds):
        making.append(seconds(partial(batches.__getitem__, step)))
        using.append(seconds(partial(train_on, model, batches[step], recipe, step)))
    made, used = (samples / statistics.median(each) for each in (making, using))
    return {"made_a_second": made, "used_a_second": used}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, nargs="+", help="folders of images and material swatches")
    parser.add_argument("--panoptic", type=Path, help="a folder of labelled images in COCO's panoptic format")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet (JPEG)")
    parser.add_argument("--rounds", type=int, default=3, help="timed steps of each kind (default 3)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the JSON file")
    options = parser.parse_args()
    if options.sheet:
        sheet = contact_sheet(ImageBank.load(options.images, options.panoptic))
        with written_whole(options.sheet) as unfinished:
            sheet.save(unfinished, format="JPEG", quality=QUALITY, optimize=True)
    if options.rounds < 1:
        return
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    recipe = replace(recipe_named("compact", *options.images), panoptic_folder=options.panoptic)
    images, clips = recipe.stages[:2]
    assert isinstance(clips, ClipStage)
    data = open_training_data(recipe)
    measured = {
        "scenes": rates(data, images, images.scenes_per_step, options.rounds),
        "clips": rates(data, replace(clips, images_every=0), clips.clips_per_step, options.rounds),
    }
    write_report({"machine": machine(), "versions": versions(), "rates": measured}, options.output)
    print(json.dumps(measured, indent=1))


if __name__ == "__main__":
    main()
