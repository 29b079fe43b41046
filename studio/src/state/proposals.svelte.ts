/** All objects of a frame as proposals: filtered by sliders, taken by a click. */
import { api } from '../api/client'
import type { Job } from '../api/types'
import type { MaskPacket } from '../masks/packets'
import { coversPixel } from '../masks/runs'
import { type DrawnMask, drawnMask } from './mask-store'
import type { OpenItem } from './open-item.svelte'

export class Proposals {
  active = $state(false)
  finding = $state(false)
  all = $state.raw<DrawnMask[]>([])
  chosen = $state.raw(new Set<number>())
  frame = $state(0)
  leastScore = $state(0)
  /** Share of the frame, so that the slider means the same for every image. */
  leastArea = $state(0)
  readonly shown = $derived(
    this.all.filter(
      ({ score, area }) => score >= this.leastScore && area >= this.leastArea * this.item.width * this.item.height,
    ),
  )

  constructor(private readonly item: OpenItem) {}

  /** Show the proposals that are still open on this frame; where there are none, find some. */
  async enter(): Promise<void> {
    this.begin()
    const { frame } = this
    const packets = await api.proposals(this.item.item.id, frame).catch(() => [])
    if (!this.active || frame !== this.frame) return
    if (!packets.length) return this.find()
    this.finding = false
    for (const packet of packets) this.received(packet)
  }

  async find(grid?: number): Promise<void> {
    this.begin()
    const reply = await this.item.command({ do: 'everything', frame: this.frame, ...(grid && { grid }) })
    if (!reply) this.leave()
  }

  private begin(): void {
    this.active = true
    this.finding = true
    this.frame = this.item.playhead.frame
    this.all = []
    this.chosen = new Set()
  }

  received(packet: MaskPacket): void {
    if (packet.frame !== this.frame) return
    const masks = packet.masks.map(drawnMask)
    // Largest first, so that small ones are drawn, and clicked, on top.
    this.all = [...this.all, ...masks].sort((a, b) => b.area - a.area)
    if (packet.lastOfJob) this.finding = false
  }

  noteJob(job: Job): void {
    if (job.kind === 'everything' && job.state !== 'queued') this.finding = false
  }

  toggle(proposal: number): void {
    const chosen = new Set(this.chosen)
    if (!chosen.delete(proposal)) chosen.add(proposal)
    this.chosen = chosen
  }

  /** Choose the proposal that is seen there, or not; on another frame, where none is seen, go back to theirs. */
  toggleAt(x: number, y: number): void {
    if (this.item.playhead.frame !== this.frame) return this.item.playhead.seek(this.frame)
    const hit = this.shown.findLast(({ runs, crop }) => coversPixel(runs, crop, x, y))
    if (hit) this.toggle(hit.object)
  }

  chooseAll(): void {
    this.chosen = new Set(this.shown.map(({ object }) => object))
  }

  chooseNone(): void {
    this.chosen = new Set()
  }

  async accept(className?: string): Promise<void> {
    const shown = new Set(this.shown.map(({ object }) => object))
    const proposals = [...this.chosen].filter((proposal) => shown.has(proposal))
    if (!proposals.length) return
    const reply = await this.item.command({ do: 'accept', proposals, ...(className && { class: className }) })
    if (reply) this.leave()
  }

  async discard(): Promise<void> {
    if (this.all.length) await this.item.command({ do: 'reject', proposals: this.all.map(({ object }) => object) })
    this.leave()
  }

  leave(): void {
    this.active = false
    this.finding = false
    this.all = []
    this.item.drawn++
  }
}
