"""GROUND_TRUTH TRACKERS: J & F of DAVIS by TrackEval, where the tracker `itself` is the ground truth."""

import contextlib
import json
import sys

import trackeval

settings = {
    "GT_FOLDER": sys.argv[1],
    "TRACKERS_FOLDER": sys.argv[2],
    "TRACKER_SUB_FOLDER": "",
    "SEQMAP_FILE": sys.argv[3],
    "SPLIT_TO_EVAL": "val",
    "PRINT_CONFIG": False,
}
options = {"PRINT_RESULTS": False, "PRINT_CONFIG": False, "TIME_PROGRESS": False, "OUTPUT_SUMMARY": False}
options |= {"OUTPUT_DETAILED": False, "PLOT_CURVES": False, "OUTPUT_EMPTY_CLASSES": False}
with contextlib.redirect_stdout(sys.stderr):
    dataset = trackeval.datasets.DAVIS(settings)
    results, _ = trackeval.Evaluator(options).evaluate([dataset], [trackeval.metrics.JAndF()])
(tracker,) = results["DAVIS"].values()
scores = tracker["COMBINED_SEQ"]["general"]["JAndF"]
print(json.dumps({name: float(scores[name]) for name in ("J-Mean", "F-Mean")}))
