/** Writes mask packets, for a server that is not there. */
import { encodeRuns, runsOfPlane } from '../../src/masks/runs'
import { MASK_STATES, type MaskState, PACKET_KINDS, type PacketKind } from '../../src/masks/packets'

export interface Ellipse {
  object: number
  x: number
  y: number
  rx: number
  ry: number
  score?: number
  state?: MaskState
  candidate?: number
}

interface Header {
  kind: PacketKind
  frame: number
  width: number
  height: number
  command?: number
  last?: boolean
}

export function packet(header: Header, ellipses: Ellipse[]): Buffer {
  const head = Buffer.alloc(32)
  head.write('MKL1')
  head[4] = PACKET_KINDS[header.kind]
  head[5] = header.last ? 2 : 0
  head.writeUInt16LE(ellipses.length, 6)
  head.writeUInt32LE(header.frame, 8)
  head.writeUInt32LE(header.command ?? 0, 12)
  head.writeUInt16LE(header.width, 24)
  head.writeUInt16LE(header.height, 26)
  return Buffer.concat([head, ...ellipses.map((ellipse) => entry(header, ellipse))])
}

function entry(frame: { width: number; height: number }, ellipse: Ellipse): Buffer {
  const left = Math.max(0, Math.floor(ellipse.x - ellipse.rx))
  const top = Math.max(0, Math.floor(ellipse.y - ellipse.ry))
  const width = Math.min(frame.width, Math.ceil(ellipse.x + ellipse.rx)) - left
  const height = Math.min(frame.height, Math.ceil(ellipse.y + ellipse.ry)) - top
  const plane = new Uint8Array(width * height)
  plane.forEach((_, index) => {
    const x = left + (index % width) + 0.5
    const y = top + Math.floor(index / width) + 0.5
    plane[index] = ((x - ellipse.x) / ellipse.rx) ** 2 + ((y - ellipse.y) / ellipse.ry) ** 2 <= 1 ? 1 : 0
  })
  const runs = encodeRuns(runsOfPlane(plane))
  const head = Buffer.alloc(32)
  head.writeUInt32LE(ellipse.object, 0)
  ;[left, top, width, height].forEach((value, index) => head.writeUInt16LE(value, 4 + 2 * index))
  head.writeFloatLE(ellipse.score ?? 0.87, 12)
  head.writeFloatLE(4, 16)
  head.writeUInt32LE(1, 20)
  head[24] = MASK_STATES.indexOf(ellipse.state ?? 'answered')
  head[25] = ellipse.candidate ?? 0
  head.writeUInt32LE(runs.length, 28)
  return Buffer.concat([head, runs])
}
