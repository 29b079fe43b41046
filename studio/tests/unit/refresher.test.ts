import { describe, expect, it } from 'vitest'
import { Refresher } from '../../src/state/refresher'

/** Loads that end on demand, each with what the server had when it began. */
function loads() {
  let server = 0
  const shown: number[] = []
  const ends: (() => void)[] = []
  const refresher = new Refresher(async () => {
    const answer = server
    await new Promise<void>((end) => ends.push(end))
    shown.push(answer)
  })
  return { refresher, shown, ends, change: () => server++ }
}

describe('a refresh', () => {
  it('that is asked for during an older one loads again after it', async () => {
    const { refresher, shown, ends, change } = loads()
    const first = refresher.refresh()
    change()
    const second = refresher.refresh()
    ends.shift()!()
    await first
    await expect.poll(() => ends.length).toBe(1)
    ends.shift()!()
    await second
    expect(shown).toEqual([0, 1])
  })

  it('is one for all who asked meanwhile', async () => {
    const { refresher, shown, ends } = loads()
    const asked = [refresher.refresh(), refresher.refresh(), refresher.refresh()]
    ends.shift()!()
    await expect.poll(() => ends.length).toBe(1)
    ends.shift()!()
    await Promise.all(asked)
    expect(shown).toEqual([0, 0])
  })
})
