"""FOLDER: mean average precision of tracks by TrackEval, of a ground truth and its annotations as a tracker's results.

The ground truth is the one JSON file in FOLDER/gt/youtube_vis_val; the results are written into FOLDER/trackers.
"""

import contextlib
import json
import sys
from pathlib import Path

import pycocotools.mask
import trackeval

folder = Path(sys.argv[1])
(file,) = (folder / "gt/youtube_vis_val").glob("*.json")
annotations = json.loads(file.read_text())["annotations"]
fields = ("video_id", "category_id", "bboxes", "areas")
results = folder / "trackers/youtube_vis_val/itself/data"
results.mkdir(parents=True)


def compressed(mask):
    """Run lengths as results have them; ground truth has lists of numbers."""
    if mask is None:
        return None
    found = pycocotools.mask.frPyObjects(mask, *mask["size"])
    return {**found, "counts": found["counts"].decode()}


found = [
    {"score": 0.9, **{name: each[name] for name in fields}, "segmentations": [*map(compressed, each["segmentations"])]}
    for each in annotations
]
(results / "results.json").write_text(json.dumps(found))

settings = {"GT_FOLDER": f"{folder}/gt/", "TRACKERS_FOLDER": f"{folder}/trackers/", "SPLIT_TO_EVAL": "val"}
options = {"PRINT_RESULTS": False, "PRINT_CONFIG": False, "TIME_PROGRESS": False, "OUTPUT_SUMMARY": False}
options |= {"OUTPUT_DETAILED": False, "PLOT_CURVES": False, "OUTPUT_EMPTY_CLASSES": False}
with contextlib.redirect_stdout(sys.stderr):
    dataset = trackeval.datasets.YouTubeVIS({**settings, "PRINT_CONFIG": False})
    metric = trackeval.metrics.TrackMAP({"PRINT_CONFIG": False, "USE_AREA_RANGES": False, "USE_TIME_RANGES": False})
    evaluated, _ = trackeval.Evaluator(options).evaluate([dataset], [metric])
classes = evaluated["YouTubeVIS"]["itself"]["COMBINED_SEQ"]
print(json.dumps({name: float(each["TrackMAP"]["AP_all"].mean()) for name, each in sorted(classes.items())}))
