/** Masks by frame and object, as many frames as are worth keeping, and which stretches were asked of the server. */
import { contoursOfRuns } from '../masks/contours'
import type { ObjectMask } from '../masks/packets'
import { areaOfRuns } from '../masks/runs'

export interface DrawnMask extends ObjectMask {
  area: number
  /** Outline and filling in frame pixels, made when first drawn. */
  path(): Path2D
}

const CHUNK = 32
const MOST_FRAMES = 600

export function drawnMask(mask: ObjectMask): DrawnMask {
  let path: Path2D | undefined
  return { ...mask, area: areaOfRuns(mask.runs), path: () => (path ??= pathOf(mask)) }
}

function pathOf(mask: ObjectMask): Path2D {
  const path = new Path2D()
  for (const contour of contoursOfRuns(mask.runs, mask.crop)) {
    path.moveTo(contour[0]!, contour[1]!)
    for (let index = 2; index < contour.length; index += 2) path.lineTo(contour[index]!, contour[index + 1]!)
    path.closePath()
  }
  return path
}

export class MaskStore {
  private frames = new Map<number, Map<number, DrawnMask>>()
  private asked = new Set<number>()

  on(frame: number): DrawnMask[] {
    return [...(this.frames.get(frame)?.values() ?? [])]
  }

  find(frame: number, object: number): DrawnMask | undefined {
    return this.frames.get(frame)?.get(object)
  }

  put(frame: number, mask: ObjectMask): void {
    const masks = this.frames.get(frame) ?? new Map<number, DrawnMask>()
    masks.set(mask.object, drawnMask(mask))
    // Map keeps the order of insertion: the frame touched last moves to the end.
    this.frames.delete(frame)
    this.frames.set(frame, masks)
    this.forgetOldest()
  }

  /** Replace all that is known of frames `first` to `last`. */
  replace(first: number, last: number, masks: { frame: number; masks: ObjectMask[] }[]): void {
    for (let frame = first; frame <= last; frame++) this.frames.delete(frame)
    for (const entry of masks) for (const mask of entry.masks) this.put(entry.frame, mask)
  }

  /** The stretch around `frame` that has to be asked of the server, or undefined; it counts as asked from now on. */
  missing(frame: number, frames: number): { first: number; last: number } | undefined {
    const chunk = Math.floor(frame / CHUNK)
    if (this.asked.has(chunk)) return undefined
    this.asked.add(chunk)
    return { first: chunk * CHUNK, last: Math.min(frames, (chunk + 1) * CHUNK) - 1 }
  }

  /** Masks of a stretch changed on the server, or were not received. */
  outdated(first = 0, last = Infinity): void {
    for (const chunk of [...this.asked])
      if ((chunk + 1) * CHUNK > first && chunk * CHUNK <= last) this.asked.delete(chunk)
  }

  private forgetOldest(): void {
    for (const frame of this.frames.keys()) {
      if (this.frames.size <= MOST_FRAMES) return
      this.frames.delete(frame)
      this.asked.delete(Math.floor(frame / CHUNK))
    }
  }
}
