/** Scores and presence of objects through time, asked for when their lanes come into view. */
import { api } from '../api/client'
import type { ObjectStats } from '../api/types'
import { notices } from './notices.svelte'

export class Curves {
  private found = $state.raw(new Map<number, ObjectStats>())
  private asked = new Set<number>()

  constructor(private readonly item: string) {}

  of(object: number): ObjectStats | undefined {
    return this.found.get(object)
  }

  async want(objects: number[]): Promise<void> {
    const missing = objects.filter((object) => !this.asked.has(object))
    if (!missing.length) return
    for (const object of missing) this.asked.add(object)
    try {
      const stats = await api.stats(this.item, missing)
      this.found = new Map([...this.found, ...stats.map((entry) => [entry.object, entry] as const)])
    } catch (error) {
      notices.report(error)
    }
  }

  outdated(): void {
    this.asked.clear()
  }
}
