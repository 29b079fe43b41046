/** Videos that are too long to be kept among the assets. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ENVIRONMENT, PYTHON, ROOT } from './real-server'

/** Ten minutes of a 1080p camera that passes over the truck, and a disc that is followed in all frames (YouTube-VIS). */
const TEN_MINUTES = `
import json, sys, zipfile
import av
import numpy as np
from PIL import Image
from pycocotools import mask as coco
image, folder, frames = sys.argv[1], sys.argv[2], int(sys.argv[3])
wide = np.asarray(Image.open(image).convert("RGB").resize((2400, 1600)))
rows, columns = np.mgrid[:1080, :1920]
with av.open(f"{folder}/ten-minutes.mp4", "w") as container:
    stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
    stream.height, stream.width, stream.pix_fmt = 1080, 1920, "yuv420p"
    for number in range(frames):
        left, top = abs(number % 960 - 480), abs(number % 1040 - 520)
        seen = np.ascontiguousarray(wide[top:top + 1080, left:left + 1920])
        container.mux(stream.encode(av.VideoFrame.from_ndarray(seen, format="rgb24")))
    container.mux(stream.encode())
def disc(number):
    plane = (columns - 900 + abs(number % 960 - 480)) ** 2 + (rows - 600) ** 2 < 300 ** 2
    found = coco.encode(np.asfortranarray(plane.astype(np.uint8)))
    return {"size": found["size"], "counts": found["counts"].decode()}
known = [disc(number) for number in range(960)]
masks = [known[number % 960] for number in range(frames)]
names = [f"ten-minutes/{number:05d}.jpg" for number in range(frames)]
video = {"id": 1, "width": 1920, "height": 1080, "length": frames, "file_names": names}
track = {"id": 1, "video_id": 1, "category_id": 1, "iscrowd": 0, "segmentations": masks}
track |= {"bboxes": [coco.toBbox(each).tolist() for each in masks], "areas": [int(coco.area(each)) for each in masks]}
with zipfile.ZipFile(f"{folder}/masks.zip", "w", zipfile.ZIP_DEFLATED) as file:
    file.writestr("instances.json", json.dumps(
        {"videos": [video], "annotations": [track], "categories": [{"id": 1, "name": "object"}]}))
`

function run(program: string, ...parameters: string[]): void {
  const { status, stderr } = spawnSync(PYTHON, ['-c', program, ...parameters], { env: ENVIRONMENT, encoding: 'utf8' })
  if (status) throw new Error(stderr)
}

/** Write `ten-minutes.mp4` and `masks.zip` into a folder. */
export function writeTenMinutes(folder: string, frames: number): void {
  run(TEN_MINUTES, join(ROOT, 'assets/truck.jpg'), folder, String(frames))
}
