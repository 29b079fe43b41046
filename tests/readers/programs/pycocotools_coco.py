import contextlib
import sys
from pathlib import Path

from answer import print_masks
from pycocotools.coco import COCO

with contextlib.redirect_stdout(sys.stderr):
    coco = COCO(Path(sys.argv[1]) / "annotations/instances_default.json")
found = {}
for image in coco.imgs.values():
    annotations = coco.loadAnns(coco.getAnnIds(image["id"]))
    found[Path(image["file_name"]).stem] = [
        (coco.cats[each["category_id"]]["name"], coco.annToMask(each)) for each in annotations
    ]
print_masks(found)
