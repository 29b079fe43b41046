/** Scores and presence of objects through time, asked for when their lanes come into view. */
import { api } from '../api/client'
import type { ObjectStats } from '../api/types'
import { notices } from './notices.svelte'

/** Milliseconds. */
const PAUSE = 60

export class Curves {
  private found = $state.raw(new Map<number, ObjectStats>())
  private asked = new Set<number>()
  private timer: ReturnType<typeof setTimeout> | undefined
  /** Loads follow each other, so that no older answer comes last. */
  private loaded = Promise.resolve()

  constructor(private readonly item: string) {}

  of(object: number): ObjectStats | undefined {
    return this.found.get(object)
  }

  /** Ask for these objects once no others were wanted for a moment: scrolling past lanes asks for none of them. */
  want(objects: number[]): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => (this.loaded = this.loaded.then(() => this.load(objects))), PAUSE)
  }

  private async load(wanted: number[]): Promise<void> {
    const objects = wanted.filter((object) => !this.asked.has(object))
    if (!objects.length) return
    for (const object of objects) this.asked.add(object)
    try {
      const stats = await api.stats(this.item, objects)
      this.found = new Map([...this.found, ...stats.map((entry) => [entry.object, entry] as const)])
    } catch (error) {
      notices.report(error)
    }
  }

  outdated(): void {
    this.asked.clear()
  }
}
