"""FOLDER IMAGE PROMPTS OUT: masks by samexporter, whose prompts are lists of marks, into a file of NumPy."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from samexporter.sam2_onnx import SegmentAnything2ONNX

folder = Path(sys.argv[1])
model = SegmentAnything2ONNX(str(folder / "masklet.encoder.onnx"), str(folder / "masklet.decoder.onnx"), "cpu")
embedding = model.encode(cv2.imread(sys.argv[2]))
masks = [model.predict_masks(embedding, marks)[0, 0] > 0 for marks in json.loads(sys.argv[3])]
np.save(sys.argv[4], np.stack(masks))
print(len(masks))
