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

/** Frames of which the server is asked for all masks. */
export interface Stretch {
  first: number
  last: number
  /** When it was asked, on the store's clock. */
  asked: number
}

interface KeptMask {
  mask: DrawnMask
  /** When it came, on the store's clock. */
  came: number
}

export class MaskStore {
  private frames = new Map<number, Map<number, KeptMask>>()
  private asked = new Set<number>()
  /** When the newest answer to have come was asked for, by chunk. */
  private answered = new Map<number, number>()
  private clock = 0

  on(frame: number): DrawnMask[] {
    return [...(this.frames.get(frame)?.values() ?? [])].map(({ mask }) => mask)
  }

  find(frame: number, object: number): DrawnMask | undefined {
    return this.frames.get(frame)?.get(object)?.mask
  }

  put(frame: number, mask: ObjectMask): void {
    const masks = this.frames.get(frame) ?? new Map<number, KeptMask>()
    masks.set(mask.object, { mask: drawnMask(mask), came: ++this.clock })
    // Map keeps the order of insertion: the frame touched last moves to the end.
    this.frames.delete(frame)
    this.frames.set(frame, masks)
    this.forgetOldest()
  }

  /** Replace what is known of a stretch by the server's answer; masks that came after it was asked are newer, and stay. */
  replace({ first, last, asked }: Stretch, answer: { frame: number; masks: ObjectMask[] }[]): void {
    const chunk = Math.floor(first / CHUNK)
    if ((this.answered.get(chunk) ?? 0) > asked) return
    this.answered.set(chunk, asked)
    for (let frame = first; frame <= last; frame++) this.forget(frame, asked)
    for (const { frame, masks } of answer)
      for (const mask of masks) if (!this.find(frame, mask.object)) this.put(frame, mask)
  }

  /** The stretch around `frame` that has to be asked of the server, or undefined; it counts as asked from now on. */
  missing(frame: number, frames: number): Stretch | undefined {
    const chunk = Math.floor(frame / CHUNK)
    if (this.asked.has(chunk)) return undefined
    this.asked.add(chunk)
    return { first: chunk * CHUNK, last: Math.min(frames, (chunk + 1) * CHUNK) - 1, asked: ++this.clock }
  }

  /** Masks of a stretch changed on the server, or were not received. */
  outdated(first = 0, last = Infinity): void {
    for (const chunk of [...this.asked])
      if ((chunk + 1) * CHUNK > first && chunk * CHUNK <= last) this.asked.delete(chunk)
  }

  private forget(frame: number, before: number): void {
    const masks = this.frames.get(frame)
    for (const [object, { came }] of masks ?? []) if (came < before) masks!.delete(object)
    if (!masks?.size) this.frames.delete(frame)
  }

  private forgetOldest(): void {
    for (const frame of this.frames.keys()) {
      if (this.frames.size <= MOST_FRAMES) return
      this.frames.delete(frame)
      this.asked.delete(Math.floor(frame / CHUNK))
    }
  }
}
