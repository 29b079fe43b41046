/**
 * Run lengths of a mask inside its crop, as they travel: unsigned LEB128 numbers, row-major, in turns background and
 * object, background first (it may be 0). They sum to exactly `width * height`.
 */

/** Where a mask lies on its frame, in whole pixels; an empty mask has width and height 0. */
export interface Crop {
  x: number
  y: number
  width: number
  height: number
}

/** A mask that is not what the format allows. */
export class MaskFormatError extends Error {
  override name = 'MaskFormatError'
}

/** A stretch of object pixels in one row of the crop: from `start` up to, not including, `end`. */
export interface Interval {
  start: number
  end: number
}

const LARGEST_LENGTH = 2 ** 32

/** Read the numbers of `bytes`; they have to sum to `pixels`. */
export function decodeRuns(bytes: Uint8Array, pixels: number): Uint32Array {
  const lengths = new Uint32Array(bytes.length)
  let count = 0
  let value = 0
  let scale = 1
  let sum = 0
  for (const byte of bytes) {
    value += (byte & 0x7f) * scale
    if (value >= LARGEST_LENGTH) throw new MaskFormatError('A run is longer than a frame can be.')
    if (byte & 0x80) {
      scale *= 128
      continue
    }
    lengths[count++] = value
    sum += value
    value = 0
    scale = 1
  }
  if (scale !== 1) throw new MaskFormatError('The last run is cut off.')
  if (sum !== pixels) throw new MaskFormatError(`Runs of ${sum} pixels were given for a crop of ${pixels}.`)
  return lengths.subarray(0, count)
}

export function encodeRuns(lengths: Iterable<number>): Uint8Array {
  const bytes: number[] = []
  for (let length of lengths) {
    while (length >= 128) {
      bytes.push(length % 128 | 0x80)
      length = Math.floor(length / 128)
    }
    bytes.push(length)
  }
  return Uint8Array.from(bytes)
}

/** The plane of a crop, row-major: 1 where the object is. */
export function planeOfRuns(lengths: Uint32Array, pixels: number): Uint8Array {
  const plane = new Uint8Array(pixels)
  let position = 0
  lengths.forEach((length, index) => {
    if (index % 2) plane.fill(1, position, position + length)
    position += length
  })
  return plane
}

export function runsOfPlane(plane: Uint8Array): number[] {
  const lengths: number[] = []
  let value = 0
  let start = 0
  for (let index = 0; index < plane.length; index++) {
    if (plane[index] === value) continue
    lengths.push(index - start)
    start = index
    value = 1 - value
  }
  lengths.push(plane.length - start)
  return lengths
}

export function areaOfRuns(lengths: Uint32Array): number {
  let area = 0
  for (let index = 1; index < lengths.length; index += 2) area += lengths[index]!
  return area
}

/** The stretches of every row, runs that wrap from one row to the next being cut there. */
export function rowsOfRuns(lengths: Uint32Array, crop: Crop): Interval[][] {
  const rows: Interval[][] = Array.from({ length: crop.height }, () => [])
  let position = 0
  lengths.forEach((length, index) => {
    const end = position + length
    while (index % 2 && position < end) {
      const row = Math.floor(position / crop.width)
      const start = position - row * crop.width
      const last = Math.min(crop.width, start + end - position)
      rows[row]!.push({ start, end: last })
      position += last - start
    }
    position = end
  })
  return rows
}

/** Whether pixel (`x`, `y`) of the frame belongs to the mask. */
export function coversPixel(lengths: Uint32Array, crop: Crop, x: number, y: number): boolean {
  const column = Math.floor(x) - crop.x
  const row = Math.floor(y) - crop.y
  if (column < 0 || row < 0 || column >= crop.width || row >= crop.height) return false
  let left = row * crop.width + column
  for (let index = 0; index < lengths.length; index++) {
    left -= lengths[index]!
    if (left < 0) return index % 2 === 1
  }
  return false
}
