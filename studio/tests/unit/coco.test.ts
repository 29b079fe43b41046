import { expect, it } from 'vitest'
import { cocoOfPlane } from '../../src/masks/coco'

it('masks are sent in the code that pycocotools reads', () => {
  // pycocotools gives 92200O4 for the rows `......`, `..###.`, `..##..`, `......`.
  const plane = Uint8Array.from('........###...##........', (character) => (character === '#' ? 1 : 0))
  expect(cocoOfPlane(plane, 6, 4)).toEqual({ size: [4, 6], counts: '92200O4' })
})
