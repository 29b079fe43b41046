"""SITE_PACKAGES SOURCE IMAGE: the functions of CVAT by its own library, with the bundled model."""

import json
import sys

sys.path += sys.argv[1:3]  # behind the environment's own libraries

from types import SimpleNamespace

from cvat_sdk.auto_annotation import TrackableShape
from PIL import Image

from masklet.server.adapters.cvat_functions import interaction, tracking

image = Image.open(sys.argv[3])
clicks = interaction.create()
prompts = SimpleNamespace(pos_points=[(320, 425)], neg_points=[], bounding_box=None)
(shape,) = clicks.detect(None, clicks.preprocess_image(None, image), prompts)
(confidence,) = shape.attributes

follower = tracking.create()
pixels = follower.preprocess_image(None, image)
state = follower.init_tracking_state(None, pixels, TrackableShape(type="mask", points=shape.points))
followed = follower.track(None, pixels, state)
print(json.dumps({"type": shape.type, "points": shape.points, "confidence": confidence.value, "next": followed.points}))
