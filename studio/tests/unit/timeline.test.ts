import { describe, expect, it } from 'vitest'
import type { StateSpan } from '../../src/api/types'
import { barsOf, countsOf, lowestAPixel, stateAt, visibleLanes, withState } from '../../src/timeline/lanes'
import { frameAt, panned, pixelOf, showing, ticks, timeOf, wholeScale, zoomed } from '../../src/timeline/scale'

describe('the scale', () => {
  const scale = wholeScale(200_000, 1000)

  it('finds the frame under a pixel, at any zoom', () => {
    const near = zoomed(scale, 1000, 400)
    for (const frame of [80_000, 80_050, 80_119]) expect(frameAt(near, pixelOf(near, frame) + 0.5)).toBe(frame)
    expect(frameAt(scale, -50)).toBe(0)
    expect(frameAt(scale, 5000)).toBe(199_999)
  })

  it('keeps the frame under the pointer where it is while zooming', () => {
    expect(frameAt(zoomed(scale, 7, 300), 300)).toBe(frameAt(scale, 300))
  })

  it('never leaves the item', () => {
    expect(panned(zoomed(scale, 10, 0), -500).start).toBe(0)
    expect(panned(zoomed(scale, 10, 0), 1e9)).toMatchObject({ start: 180_000, span: 20_000 })
    expect(zoomed(scale, 0.001, 0)).toMatchObject({ start: 0, span: 200_000 })
    expect(zoomed(wholeScale(3, 100), 50, 0).span).toBe(3)
  })

  it('moves no further than needed to show a frame', () => {
    const near = zoomed(scale, 100, 0)
    expect(showing(near, 1999)).toEqual(near)
    expect(showing(near, 2000).start).toBe(1)
    expect(showing({ ...near, start: 500 }, 100).start).toBe(100)
  })

  it('numbers round frames', () => {
    expect(ticks(wholeScale(246, 1000))).toEqual([0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220, 240])
    expect(ticks(wholeScale(10, 1000))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(ticks(scale).length).toBeLessThan(14)
  })

  it('gives the time of a frame', () => {
    expect(timeOf(1831, 25)).toBe('1:13.24')
    expect(timeOf(5, null)).toBe('')
  })
})

describe('lanes', () => {
  const spans: StateSpan[] = [
    { frames: [0, 9], state: 2 },
    { frames: [10, 10], state: 1 },
    { frames: [11, 19], state: 3 },
    { frames: [30, 39], state: 5 },
  ]

  it('are made for what is visible only', () => {
    expect(visibleLanes(200, 24, 2400, 240)).toEqual({ first: 96, end: 114 })
    expect(visibleLanes(200, 24, 0, 240)).toEqual({ first: 0, end: 14 })
    expect(visibleLanes(3, 24, 0, 240)).toEqual({ first: 0, end: 3 })
  })

  it('show each stretch of one state as a bar', () => {
    expect(barsOf(spans, wholeScale(64, 512))).toEqual([
      { left: 0, right: 80, state: 'tracked' },
      { left: 80, right: 88, state: 'answered' },
      { left: 88, right: 160, state: 'stale' },
      { left: 240, right: 320, state: 'absent' },
    ])
  })

  it('start with the stretch that reaches into view', () => {
    expect(barsOf(spans, { frames: 40, width: 100, start: 15, span: 10 })).toEqual([
      { left: 0, right: 50, state: 'stale' },
    ])
  })

  it('have at most two bars a pixel, whatever flickers', () => {
    const flicker = Array.from(
      { length: 100_000 },
      (_, index): StateSpan => ({
        frames: [2 * index, 2 * index],
        state: 1 + (index % 2),
      }),
    )
    const bars = barsOf(flicker, wholeScale(200_000, 500))
    expect(bars.length).toBeLessThanOrEqual(1000)
    expect(bars[0]!.left).toBe(0)
    expect(bars.at(-1)!.right).toBeGreaterThan(499)
  })

  it('count frames by state and know the state of a frame', () => {
    expect(countsOf(spans)).toMatchObject({ tracked: 10, answered: 1, stale: 9, absent: 10 })
    expect([9, 10, 19, 20, 39, 40].map((frame) => stateAt(spans, frame))).toEqual([
      'tracked',
      'answered',
      'stale',
      'none',
      'absent',
      'none',
    ])
  })

  it('take in what arrives frame by frame', () => {
    let lane: StateSpan[] = []
    for (const frame of [0, 1, 2, 4, 3]) lane = withState(lane, frame, frame, 'tracked')
    expect(lane).toEqual([{ frames: [0, 4], state: 2 }])
    expect(withState(lane, 2, 2, 'answered')).toEqual([
      { frames: [0, 1], state: 2 },
      { frames: [2, 2], state: 1 },
      { frames: [3, 4], state: 2 },
    ])
    expect(withState(spans, 5, 34, 'none')).toEqual([
      { frames: [0, 4], state: 2 },
      { frames: [35, 39], state: 5 },
    ])
  })

  it('keep a dip of one frame in the curve', () => {
    const frames = Array.from({ length: 1000 }, (_, frame) => frame)
    const score = frames.map((frame) => (frame === 503 ? 0.1 : 0.9))
    const curve = lowestAPixel(frames, score, wholeScale(1000, 100))
    expect(curve.length).toBeLessThanOrEqual(101)
    expect(Math.min(...curve.map(({ value }) => value))).toBe(0.1)
  })
})
