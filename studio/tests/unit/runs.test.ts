import { describe, expect, it } from 'vitest'
import { contoursOfRuns } from '../../src/masks/contours'
import {
  areaOfRuns,
  coversPixel,
  decodeRuns,
  encodeRuns,
  MaskFormatError,
  planeOfRuns,
  runsOfPlane,
} from '../../src/masks/runs'

/** A crop of characters, `#` where the object is. */
function drawn(...rows: string[]) {
  const plane = Uint8Array.from(rows.join(''), (character) => (character === '#' ? 1 : 0))
  const crop = { x: 2, y: 1, width: rows[0]!.length, height: rows.length }
  return { plane, crop, runs: Uint32Array.from(runsOfPlane(plane)) }
}

function randomPlane(width: number, height: number, seed: number): Uint8Array {
  let state = seed
  return Uint8Array.from({ length: width * height }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return state > 2 ** 30 ? 1 : 0
  })
}

/** Twice the signed area inside closed outlines, holes counted negative. */
function shoelace(contour: number[]): number {
  let sum = 0
  for (let index = 0; index < contour.length; index += 2) {
    const next = (index + 2) % contour.length
    sum += contour[index]! * contour[next + 1]! - contour[next]! * contour[index + 1]!
  }
  return sum / 2
}

describe('run lengths', () => {
  it('are the same after a round trip, whatever their size', () => {
    const lengths = [0, 1, 127, 128, 300, 16384, 2097152, 7]
    const pixels = lengths.reduce((sum, length) => sum + length)
    expect([...decodeRuns(encodeRuns(lengths), pixels)]).toEqual(lengths)
  })

  it.each([
    ['a sum that is not the crop', [5], 6],
    ['a run that is cut off', [5, 0x81], 6],
    ['a run longer than a frame', [0xff, 0xff, 0xff, 0xff, 0x7f], 6],
  ])('are refused with %s', (_, bytes, pixels) => {
    expect(() => decodeRuns(Uint8Array.from(bytes), pixels)).toThrow(MaskFormatError)
  })

  it('give the plane that they were made of', () => {
    const plane = randomPlane(13, 7, 1)
    const runs = Uint32Array.from(runsOfPlane(plane))
    expect(planeOfRuns(runs, plane.length)).toEqual(plane)
    expect(areaOfRuns(runs)).toBe(plane.reduce((sum, value) => sum + value))
  })

  it('say of every pixel of the frame whether it is covered', () => {
    const { crop, runs } = drawn('.##', '#..')
    expect(coversPixel(runs, crop, 3.9, 1.2)).toBe(true)
    expect(coversPixel(runs, crop, 2, 1)).toBe(false)
    expect(coversPixel(runs, crop, 2, 2)).toBe(true)
    expect(coversPixel(runs, crop, 5, 1)).toBe(false)
    expect(coversPixel(runs, crop, 2, 3)).toBe(false)
  })
})

describe('outlines', () => {
  it('follow pixel edges without points on straight lines', () => {
    const { crop, runs } = drawn('##', '##')
    expect(contoursOfRuns(runs, crop)).toEqual([[2, 1, 4, 1, 4, 3, 2, 3]])
  })

  it('turn the other way around holes', () => {
    const { crop, runs } = drawn('###', '#.#', '###')
    expect(contoursOfRuns(runs, crop).map(shoelace).sort()).toEqual([-1, 9])
  })

  it('keep pieces apart that touch at a corner', () => {
    const { crop, runs } = drawn('#.', '.#')
    expect(contoursOfRuns(runs, crop).map(shoelace)).toEqual([1, 1])
  })

  it('enclose exactly the area of the mask', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const runs = Uint32Array.from(runsOfPlane(randomPlane(11, 9, seed)))
      const contours = contoursOfRuns(runs, { x: 5, y: 3, width: 11, height: 9 })
      expect(contours.map(shoelace).reduce((sum, area) => sum + area, 0)).toBe(areaOfRuns(runs))
    }
  })

  it('are none where the mask is empty', () => {
    expect(contoursOfRuns(new Uint32Array(), { x: 0, y: 0, width: 0, height: 0 })).toEqual([])
  })
})
