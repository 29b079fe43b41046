"""CONFIG ANSWER: what is wrong with the predictions of an answer, by Label Studio's own check."""

import json
import sys
from pathlib import Path

from label_studio_sdk.label_interface import LabelInterface

interface = LabelInterface(Path(sys.argv[1]).read_text(encoding="utf-8"))
answer = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
print(json.dumps([interface.validate_prediction(each, return_errors=True) for each in answer["results"]]))
