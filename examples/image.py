"""Segment objects of an image by clicks and boxes, and draw their masks.

Run it from the root of the repository; nothing is downloaded:

    python examples/image.py --output out

It writes out/choices.png, out/bag.png and out/bags.png. `--model` takes a checkpoint (a folder, a weight file or a hub
id) in place of the bundled model.
"""

import argparse
from pathlib import Path

from PIL import Image

from masklet import ImageSegmenter, draw_overlay

BAG, NEIGHBOUR = (400, 270), (475, 270)  # (x, y) in pixels
BOXES = [(366, 190, 440, 342), (440, 177, 508, 342), (505, 170, 605, 350)]  # (x1, y1, x2, y2)


def main(output: Path, model: str | None) -> None:
    """Encode one image once, and prompt it three times."""
    output.mkdir(parents=True, exist_ok=True)
    segmenter = ImageSegmenter.from_pretrained(model)
    image = Image.open("assets/groceries.jpg")
    encoded = segmenter.encode(image)  # this is what takes time; prompts are quick

    # One click is ambiguous (a bag, all bags, the boot?): these are all three masks of the network, best first.
    (choices,) = segmenter.candidates(encoded, points=[[BAG]])
    for score, area in zip(choices.scores, choices.areas, strict=True):
        print(f"one click: a mask of {area} pixels, score {score:.2f}")
    draw_overlay(image, choices, points=[(*BAG, 1)]).save(output / "choices.png")

    # The best one covers two bags. A negative click (label 0) on the other bag removes it. The logits of the first mask
    # are passed on, so that the model refines that mask instead of starting anew.
    first = segmenter.segment(encoded, points=[[BAG]])
    bag = segmenter.segment(encoded, points=[[BAG, NEIGHBOUR]], labels=[[1, 0]], masks=first.low_resolution_logits)
    print(f"a negative click: {first.areas[0]} pixels became {bag.areas[0]}")
    draw_overlay(image, bag, points=[(*BAG, 1), (*NEIGHBOUR, 0)]).save(output / "bag.png")

    # Several objects in one call. The masks come in the order of the prompts.
    bags = segmenter.segment(encoded, boxes=BOXES)
    for number, box, score in zip(bags.object_ids, bags.boxes, bags.scores, strict=True):
        print(f"object {number}: box {box.astype(int).tolist()}, score {score:.2f}")
    draw_overlay(image, bags, boxes=BOXES).save(output / "bags.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("out"))
    parser.add_argument("--model", help="a folder, a weight file or a hub id (default: the bundled model)")
    main(**vars(parser.parse_args()))
