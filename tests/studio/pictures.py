"""The pictures and the recording of the documents: `python -m tests.studio.pictures` makes them anew."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from PIL import Image
from tests.studio.message_types import STUDIO

IMAGES = STUDIO.parent / "docs" / "images"
RECORDING = IMAGES / "studio.webp"
RECORDING_WIDTH = 960
MOST_BYTES = 2_000_000


def write_pictures(folder: Path) -> None:
    """Write each screenshot of a folder as a picture of the documents, and those of the recording as one."""
    for path in sorted(folder.glob("studio-*.png")):
        with Image.open(path) as screenshot:
            screenshot.convert("RGB").save(IMAGES / f"{path.stem}.webp", quality=82, method=6)
    shots = sorted(folder.glob("recording-*.png"))
    times = [int(re.sub(r".*-", "", path.stem)) for path in shots]
    first, *others = [_small(path) for path in shots]
    first.save(
        RECORDING, save_all=True, append_images=others, duration=times, loop=0, quality=50, method=4, minimize_size=True
    )
    size = RECORDING.stat().st_size
    assert size <= MOST_BYTES, f"The recording has {size} bytes; it may have {MOST_BYTES}."


def _small(path: Path) -> Image.Image:
    with Image.open(path) as screenshot:
        height = round(screenshot.height * RECORDING_WIDTH / screenshot.width)
        return screenshot.convert("RGB").resize((RECORDING_WIDTH, height), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        subprocess.run(["npm", "run", "pictures"], cwd=STUDIO, env=os.environ | {"PICTURES": made}, check=True)
        write_pictures(Path(made))
