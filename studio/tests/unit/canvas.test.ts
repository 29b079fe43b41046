import { describe, expect, it } from 'vitest'
import { clamped, fitted, LARGEST_SCALE, toFrame, zoomedAt } from '../../src/canvas/viewport'
import { planeOfStroke } from '../../src/masks/strokes'

describe('the viewport', () => {
  const frame = { width: 1024, height: 683 }
  const area = { x: 44, y: 40, width: 948, height: 700 }

  it('shows the whole frame between the panels', () => {
    const { scale, x, y } = fitted(frame, area)
    expect(x).toBeGreaterThanOrEqual(area.x)
    expect(y).toBeGreaterThanOrEqual(area.y)
    expect(x + frame.width * scale).toBeLessThanOrEqual(area.x + area.width)
    expect(y + frame.height * scale).toBeLessThanOrEqual(area.y + area.height)
    expect(fitted({ width: 40, height: 1 }, area).scale).toBeCloseTo(916 / 40)
    expect(fitted({ width: 1, height: 1 }, area).scale).toBe(LARGEST_SCALE)
  })

  it('keeps the point under the pointer while zooming', () => {
    const before = fitted(frame, area)
    const after = zoomedAt(before, 3.7, 500, 300)
    expect(toFrame(after, 500, 300).x).toBeCloseTo(toFrame(before, 500, 300).x, 9)
    expect(toFrame(after, 500, 300).y).toBeCloseTo(toFrame(before, 500, 300).y, 9)
  })

  it('keeps prompts within the frame', () => {
    const { x, y } = clamped({ x: -3, y: 700 }, frame)
    expect(x).toBe(0)
    expect(Math.floor(y)).toBe(682)
  })
})

describe('a brush stroke', () => {
  it('covers what the brush passes over, within the frame', () => {
    const plane = planeOfStroke(
      [
        { x: 1.5, y: 1.5 },
        { x: 4.5, y: 1.5 },
      ],
      1,
      6,
      4,
    )
    expect([...plane].join('').match(/.{6}/g)).toEqual(['011110', '111111', '011110', '000000'])
  })
})
