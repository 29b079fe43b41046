/** Masks that the studio sends: COCO's compressed run lengths, column-major. */
import type { RunLengths } from '../api/types'

export function cocoOfPlane(plane: Uint8Array, width: number, height: number): RunLengths {
  const counts: number[] = []
  let value = 0
  let length = 0
  for (let x = 0; x < width; x++) {
    for (let index = x; index < plane.length; index += width) {
      if (plane[index] !== value) {
        counts.push(length)
        length = 0
        value = 1 - value
      }
      length++
    }
  }
  counts.push(length)
  return { size: [height, width], counts: compressed(counts) }
}

/** Each number less the one two before it, in characters of 5 bits, lowest first; bit 6 says that more follow. */
function compressed(counts: number[]): string {
  let code = ''
  counts.forEach((count, index) => {
    let left = index > 2 ? count - counts[index - 2]! : count
    for (let more = true; more; ) {
      const bits = left & 0x1f
      left >>= 5
      more = bits & 0x10 ? left !== -1 : left !== 0
      code += String.fromCharCode((more ? bits | 0x20 : bits) + 48)
    }
  })
  return code
}
