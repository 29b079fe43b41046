import { describe, expect, it } from 'vitest'
import { readCountedPackets, readPackets } from '../../src/masks/packets'

/** The example of the protocol: rows `..###.` and `..##..` of a 6x4 mask, object 3, job 7. */
const EXAMPLE =
  '4d4b4c31 02 02 0100 78000000 00000000 07000000 e1100000 0600 0400 00000000' +
  '03000000 0200 0100 0300 0200 0000603f 00009040 0c000000 02 00 0000 03000000' +
  '000501'

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.replaceAll(' ', '').match(/../g)!, (pair) => parseInt(pair, 16))
}

function changed(index: number, ...values: number[]): ArrayBuffer {
  const example = bytes(EXAMPLE)
  example.set(values, index)
  return example.buffer
}

describe('a mask packet', () => {
  it('is read as the protocol says', () => {
    const example = bytes(EXAMPLE)
    expect(example.length).toBe(67)
    expect(readPackets(example.buffer)).toEqual([
      {
        kind: 'track',
        moreFollow: false,
        lastOfJob: true,
        frame: 120,
        command: 0,
        job: 7,
        sequence: 4321,
        width: 6,
        height: 4,
        masks: [
          {
            object: 3,
            crop: { x: 2, y: 1, width: 3, height: 2 },
            runs: Uint32Array.of(0, 5, 1),
            score: 0.875,
            presence: 4.5,
            revision: 12,
            state: 'tracked',
            candidate: 0,
          },
        ],
      },
    ])
  })

  it('may be followed by others in one message', () => {
    const two = new Uint8Array([...bytes(EXAMPLE), ...new Uint8Array(changed(8, 121))])
    expect(readPackets(two.buffer).map(({ frame }) => frame)).toEqual([120, 121])
  })

  it('comes after its number of bytes in the answer of GET masks', () => {
    const counted = new Uint8Array([67, 0, 0, 0, ...bytes(EXAMPLE)])
    expect(readCountedPackets(counted.buffer)).toHaveLength(1)
    counted[0] = 66
    expect(() => readCountedPackets(counted.buffer)).toThrow('66 bytes')
  })

  it.each([
    ['another magic', changed(0, 0), 'MKL1'],
    ['an unknown kind', changed(4, 9), 'kind 9'],
    ['an unknown state', changed(56, 7), 'State 7'],
    ['runs that do not fill the crop', changed(65, 4), 'Runs of 5'],
    ['a crop outside the frame', changed(36, 4), 'outside'],
    ['bytes after the end', new Uint8Array([...bytes(EXAMPLE), 0]).buffer, 'announced'],
    ['bytes missing', bytes(EXAMPLE).slice(0, 66).buffer, 'announced'],
    ['no bytes for its second mask', changed(6, 2), 'announced'],
  ])('is refused with %s', (_, buffer, message) => {
    expect(() => readPackets(buffer as ArrayBuffer)).toThrow(message)
  })
})
