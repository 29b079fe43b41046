/** The frames that need a look, worst first, and how they were marked. */
import { api } from '../api/client'
import type { ReviewStop } from '../api/types'
import { notices } from './notices.svelte'
import type { OpenItem } from './open-item.svelte'
import { Refresher } from './refresher'

const SOON = 600

export class ReviewQueue {
  stops = $state.raw<ReviewStop[]>([])
  lookedAt = $state(0)
  shown = $state.raw<ReviewStop>()
  readonly open = $derived(this.stops.filter(({ verdict }) => verdict !== 'ok'))
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly refresher = new Refresher(() => this.load())

  constructor(private readonly item: OpenItem) {}

  refresh(): Promise<void> {
    clearTimeout(this.timer)
    return this.refresher.refresh()
  }

  private async load(): Promise<void> {
    if (!this.item.isVideo) return
    try {
      const review = await api.review(this.item.item.id)
      this.stops = review.stops
      this.lookedAt = review.looked_at
    } catch (error) {
      notices.report(error)
    }
  }

  refreshSoon(): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.refresh(), SOON)
  }

  show(stop: ReviewStop | undefined): void {
    this.shown = stop
    if (!stop) return
    this.item.select(stop.object)
    this.item.playhead.pause()
    this.item.playhead.seek(stop.frame)
  }

  /** Go to the stop after (1) or before (-1) the one shown; the first one where none is. */
  step(direction: -1 | 1): void {
    const at = this.open.findIndex((stop) => this.isShown(stop))
    const next = at < 0 ? 0 : (at + direction + this.open.length) % this.open.length
    this.show(this.open[next])
  }

  isShown(stop: ReviewStop): boolean {
    return stop.object === this.shown?.object && stop.frame === this.shown.frame
  }

  async judge(verdict: 'ok' | 'flag'): Promise<void> {
    const object = this.shown?.object ?? this.item.selected
    if (!object) return
    const frame = this.shown?.frame ?? this.item.playhead.frame
    const at = this.open.findIndex((stop) => this.isShown(stop))
    if (!(await this.item.command({ do: 'review', object, frame, verdict }))) return
    await this.refresh()
    if (verdict === 'ok') this.show(this.open[Math.max(0, at) % Math.max(1, this.open.length)])
  }
}
