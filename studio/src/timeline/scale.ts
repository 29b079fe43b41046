/** Frames to pixels on the timeline and back. Frame n covers [n, n + 1). */
export interface Scale {
  frames: number
  width: number
  /** First visible frame, fractional. */
  start: number
  /** Visible frames. */
  span: number
}

const FEWEST_VISIBLE = 8

export function wholeScale(frames: number, width: number): Scale {
  return { frames, width, start: 0, span: Math.max(1, frames) }
}

export function pixelOf(scale: Scale, frame: number): number {
  return ((frame - scale.start) / scale.span) * scale.width
}

/** The frame under `pixel`, within the item. */
export function frameAt(scale: Scale, pixel: number): number {
  const frame = Math.floor(scale.start + (pixel / scale.width) * scale.span)
  return Math.min(Math.max(frame, 0), scale.frames - 1)
}

/** Zoom by `factor` (> 1: nearer) so that the frame under `pixel` stays there. */
export function zoomed(scale: Scale, factor: number, pixel: number): Scale {
  const span = Math.min(scale.frames, Math.max(Math.min(FEWEST_VISIBLE, scale.frames), scale.span / factor))
  const anchor = scale.start + (pixel / scale.width) * scale.span
  return within({ ...scale, span, start: anchor - (pixel / scale.width) * span })
}

export function panned(scale: Scale, pixels: number): Scale {
  return within({ ...scale, start: scale.start + (pixels / scale.width) * scale.span })
}

/** Move the visible stretch no further than needed for `frame` to be in it. */
export function showing(scale: Scale, frame: number): Scale {
  if (frame < scale.start) return within({ ...scale, start: frame })
  if (frame + 1 > scale.start + scale.span) return within({ ...scale, start: frame + 1 - scale.span })
  return scale
}

function within(scale: Scale): Scale {
  return { ...scale, start: Math.min(Math.max(scale.start, 0), scale.frames - scale.span) }
}

const STEPS = [1, 2, 5]

/** Frames that get a number on the ruler, at least `spacing` pixels apart. */
export function ticks(scale: Scale, spacing = 72): number[] {
  const least = (spacing / scale.width) * scale.span
  const power = 10 ** Math.max(0, Math.floor(Math.log10(least)))
  const step = STEPS.map((factor) => factor * power).find((size) => size >= least) ?? 10 * power
  const first = Math.ceil(scale.start / step) * step
  const last = Math.min(scale.frames - 1, scale.start + scale.span)
  const found: number[] = []
  for (let frame = first; frame <= last; frame += step) found.push(frame)
  return found
}

/** Minutes, seconds and hundredths of a frame; with no frame rate, nothing. */
export function timeOf(frame: number, fps: number | null): string {
  if (!fps) return ''
  const seconds = frame / fps
  const minutes = Math.floor(seconds / 60)
  return `${minutes}:${(seconds - 60 * minutes).toFixed(2).padStart(5, '0')}`
}
