/** The binary messages that carry masks: one frame, any number of objects. Little-endian; see docs/studio.md. */
import { type Crop, MaskFormatError, decodeRuns } from './runs'

export const PACKET_KINDS = { answer: 1, track: 2, preview: 3, candidates: 4, everything: 5 } as const
export type PacketKind = keyof typeof PACKET_KINDS

/** What is known of an object on a frame; the index is the number on the wire. */
export const MASK_STATES = ['none', 'answered', 'tracked', 'stale', 'edited', 'absent', 'provisional'] as const
export type MaskState = (typeof MASK_STATES)[number]

export interface ObjectMask {
  object: number
  crop: Crop
  /** Lengths in turns background and object, row-major in the crop. */
  runs: Uint32Array
  /** Predicted IoU, 0..1. */
  score: number
  /** Logit of the object being visible. */
  presence: number
  revision: number
  state: MaskState
  candidate: number
}

export interface MaskPacket {
  kind: PacketKind
  moreFollow: boolean
  lastOfJob: boolean
  frame: number
  /** Number of the command that is answered; 0: none. */
  command: number
  job: number
  sequence: number
  width: number
  height: number
  masks: ObjectMask[]
}

const MAGIC = 0x314c4b4d
const HEADER_BYTES = 32
const ENTRY_BYTES = 32
const KIND_NAMES = new Map<number, PacketKind>(
  Object.entries(PACKET_KINDS).map(([name, number]) => [number, name as PacketKind]),
)

/** Read a message of one or more packets that follow each other; nothing may be left over. */
export function readPackets(buffer: ArrayBuffer): MaskPacket[] {
  const packets: MaskPacket[] = []
  for (let offset = 0; offset < buffer.byteLength; ) {
    const { packet, end } = readPacket(new DataView(buffer), offset)
    packets.push(packet)
    offset = end
  }
  return packets
}

/** Read the answer of `GET masks`: packets, each after its number of bytes (u32). */
export function readCountedPackets(buffer: ArrayBuffer): MaskPacket[] {
  const view = new DataView(buffer)
  const packets: MaskPacket[] = []
  for (let offset = 0; offset < buffer.byteLength; ) {
    needBytes(view, offset, 4)
    const bytes = view.getUint32(offset, true)
    const { packet, end } = readPacket(view, offset + 4)
    if (end !== offset + 4 + bytes) throw new MaskFormatError(`A packet of ${bytes} bytes ends elsewhere.`)
    packets.push(packet)
    offset = end
  }
  return packets
}

function readPacket(view: DataView, start: number): { packet: MaskPacket; end: number } {
  needBytes(view, start, HEADER_BYTES)
  if (view.getUint32(start, true) !== MAGIC) throw new MaskFormatError('This is not a mask packet (MKL1).')
  const kind = KIND_NAMES.get(view.getUint8(start + 4))
  if (!kind) throw new MaskFormatError(`Packets of kind ${view.getUint8(start + 4)} are not known.`)
  const flags = view.getUint8(start + 5)
  const packet: MaskPacket = {
    kind,
    moreFollow: (flags & 1) !== 0,
    lastOfJob: (flags & 2) !== 0,
    frame: view.getUint32(start + 8, true),
    command: view.getUint32(start + 12, true),
    job: view.getUint32(start + 16, true),
    sequence: view.getUint32(start + 20, true),
    width: view.getUint16(start + 24, true),
    height: view.getUint16(start + 26, true),
    masks: [],
  }
  let offset = start + HEADER_BYTES
  for (let count = view.getUint16(start + 6, true); count > 0; count--) {
    const { mask, end } = readMask(view, offset, packet)
    packet.masks.push(mask)
    offset = end
  }
  return { packet, end: offset }
}

function readMask(
  view: DataView,
  start: number,
  frame: { width: number; height: number },
): { mask: ObjectMask; end: number } {
  needBytes(view, start, ENTRY_BYTES)
  const crop: Crop = {
    x: view.getUint16(start + 4, true),
    y: view.getUint16(start + 6, true),
    width: view.getUint16(start + 8, true),
    height: view.getUint16(start + 10, true),
  }
  if (crop.x + crop.width > frame.width || crop.y + crop.height > frame.height)
    throw new MaskFormatError('The crop of a mask lies outside its frame.')
  const state = MASK_STATES[view.getUint8(start + 24)]
  if (!state) throw new MaskFormatError(`State ${view.getUint8(start + 24)} of a mask is not known.`)
  const bytes = view.getUint32(start + 28, true)
  needBytes(view, start + ENTRY_BYTES, bytes)
  const runs = new Uint8Array(view.buffer, view.byteOffset + start + ENTRY_BYTES, bytes)
  const mask: ObjectMask = {
    object: view.getUint32(start, true),
    crop,
    runs: decodeRuns(runs, crop.width * crop.height),
    score: view.getFloat32(start + 12, true),
    presence: view.getFloat32(start + 16, true),
    revision: view.getUint32(start + 20, true),
    state,
    candidate: view.getUint8(start + 25),
  }
  return { mask, end: start + ENTRY_BYTES + bytes }
}

function needBytes(view: DataView, offset: number, bytes: number): void {
  if (offset + bytes > view.byteLength)
    throw new MaskFormatError(`A mask packet ends after ${view.byteLength} bytes; ${offset + bytes} were announced.`)
}
