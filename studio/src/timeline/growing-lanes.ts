/** Lanes grow by what arrives while a job runs, once a drawn frame of the screen. */
import type { SegmentedObject } from '../api/types'
import type { MaskPacket } from '../masks/packets'
import { withState } from './lanes'

export class GrowingLanes {
  private arrived = new Map<number, [frame: number, state: MaskPacket['masks'][number]['state']][]>()

  constructor(private readonly grow: (grown: (object: SegmentedObject) => SegmentedObject) => void) {}

  note(packet: MaskPacket): void {
    if (this.arrived.size === 0) requestAnimationFrame(() => this.growAll())
    for (const { object, state } of packet.masks) {
      const arrived = this.arrived.get(object) ?? []
      arrived.push([packet.frame, state])
      this.arrived.set(object, arrived)
    }
  }

  private growAll(): void {
    this.grow((object) => {
      const arrived = this.arrived.get(object.id) ?? []
      const states = arrived.reduce((spans, [frame, state]) => withState(spans, frame, frame, state), object.states)
      return arrived.length ? { ...object, states } : object
    })
    this.arrived.clear()
  }
}
