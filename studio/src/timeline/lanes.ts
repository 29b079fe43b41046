/** What the timeline shows of objects: only what is visible is made, whatever the number of objects and frames. */
import type { StateSpan } from '../api/types'
import { MASK_STATES, type MaskState } from '../masks/packets'
import { type Scale, pixelOf } from './scale'

/** The lanes from `first` up to, not including, `end` that a scrolled window of lanes shows, with some to spare. */
export function visibleLanes(
  count: number,
  laneHeight: number,
  scrollTop: number,
  windowHeight: number,
  spare = 4,
): { first: number; end: number } {
  const first = Math.max(0, Math.floor(scrollTop / laneHeight) - spare)
  const end = Math.min(count, Math.ceil((scrollTop + windowHeight) / laneHeight) + spare)
  return { first: Math.min(first, end), end }
}

export interface Bar {
  left: number
  right: number
  state: MaskState
}

/** Bars of the visible spans; what falls on the same pixel as the bar before it and is not wider is left out. */
export function barsOf(spans: StateSpan[], scale: Scale): Bar[] {
  const bars: Bar[] = []
  const end = scale.start + scale.span
  for (let index = firstEndingAfter(spans, scale.start); index < spans.length; index++) {
    const span = spans[index]!
    const [first, last] = span.frames
    if (first >= end) break
    const state = stateOf(span)
    const left = Math.max(0, pixelOf(scale, first))
    const right = Math.min(scale.width, pixelOf(scale, last + 1))
    const before = bars.at(-1)
    if (before && before.state === state && left - before.right < 0.5) before.right = right
    else if (!before || right - left >= 0.5 || left - before.right >= 0.5) bars.push({ left, right, state })
  }
  return bars
}

function firstEndingAfter(spans: StateSpan[], frame: number): number {
  let low = 0
  let high = spans.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (spans[middle]!.frames[1] < Math.floor(frame)) low = middle + 1
    else high = middle
  }
  return low
}

/** Frames in each state. */
export function countsOf(spans: StateSpan[]): Record<MaskState, number> {
  const counts = Object.fromEntries(MASK_STATES.map((state) => [state, 0])) as Record<MaskState, number>
  for (const span of spans) counts[stateOf(span)] += span.frames[1] - span.frames[0] + 1
  return counts
}

export function stateAt(spans: StateSpan[], frame: number): MaskState {
  const span = spans[firstEndingAfter(spans, frame)]
  return span && span.frames[0] <= frame ? stateOf(span) : 'none'
}

/** `spans` with frames `first` to `last` in another state; neighbours of one state are joined. */
export function withState(spans: StateSpan[], first: number, last: number, state: MaskState): StateSpan[] {
  const pieces: StateSpan[] = []
  for (const { frames, state: old } of spans) {
    const [from, to] = frames
    if (from < first) pieces.push({ frames: [from, Math.min(to, first - 1)], state: old })
    if (to > last) pieces.push({ frames: [Math.max(from, last + 1), to], state: old })
  }
  if (state !== 'none') pieces.push({ frames: [first, last], state: MASK_STATES.indexOf(state) })
  return joined(pieces.sort((a, b) => a.frames[0] - b.frames[0]))
}

function joined(spans: StateSpan[]): StateSpan[] {
  const result: StateSpan[] = []
  for (const span of spans) {
    const before = result.at(-1)
    if (before && before.state === span.state && before.frames[1] + 1 === span.frames[0])
      before.frames = [before.frames[0], span.frames[1]]
    else result.push({ ...span })
  }
  return result
}

function stateOf(span: StateSpan): MaskState {
  return MASK_STATES[span.state] ?? 'none'
}

/** The lowest value of each pixel column: a dip of one frame stays visible at every zoom. */
export function lowestAPixel(
  frames: ArrayLike<number>,
  values: ArrayLike<number | null>,
  scale: Scale,
): { pixel: number; value: number }[] {
  const curve: { pixel: number; value: number }[] = []
  for (let index = 0; index < frames.length; index++) {
    const value = values[index]
    const frame = frames[index]!
    if (value == null || frame + 1 < scale.start || frame > scale.start + scale.span) continue
    const pixel = Math.round(pixelOf(scale, frame + 0.5))
    const before = curve.at(-1)
    if (before && before.pixel === pixel) before.value = Math.min(before.value, value)
    else curve.push({ pixel, value })
  }
  return curve
}
