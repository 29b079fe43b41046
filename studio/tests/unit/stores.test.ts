import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FrameStore } from '../../src/state/frame-store'
import { MaskStore } from '../../src/state/mask-store'
import type { OpenItem } from '../../src/state/open-item.svelte'
import { Playhead } from '../../src/state/playhead.svelte'
import { Proposals } from '../../src/state/proposals.svelte'
import type { ObjectMask } from '../../src/masks/packets'

function maskOf(object: number, revision = 1): ObjectMask {
  const crop = { x: 0, y: 0, width: 2, height: 1 }
  const rest = { score: 0.9, presence: 3, state: 'tracked', candidate: 0 } as const
  return { object, crop, runs: Uint32Array.of(0, 2), revision, ...rest }
}

describe('the masks that are kept', () => {
  it('asks for a stretch once, and again when it is outdated', () => {
    const store = new MaskStore()
    expect(store.missing(40, 100)).toMatchObject({ first: 32, last: 63 })
    expect(store.missing(50, 100)).toBeUndefined()
    store.outdated(60, 70)
    expect(store.missing(50, 100)).toMatchObject({ first: 32, last: 63 })
    expect(store.missing(99, 100)).toMatchObject({ first: 96, last: 99 })
  })

  it('keeps what came after a stretch was asked for', () => {
    const store = new MaskStore()
    store.put(3, maskOf(1, 1))
    const stretch = store.missing(3, 100)!
    store.put(3, maskOf(2, 7))
    store.put(4, maskOf(1, 7))
    store.replace(stretch, [{ frame: 3, masks: [maskOf(2, 2), maskOf(3, 2)] }])
    expect(store.on(3).map(({ object, revision }) => [object, revision])).toEqual([
      [2, 7],
      [3, 2],
    ])
    expect(store.find(4, 1)?.revision).toBe(7)
  })

  it('takes no older answer after a newer one', () => {
    const store = new MaskStore()
    const first = store.missing(0, 100)!
    store.outdated()
    const second = store.missing(0, 100)!
    store.replace(second, [])
    store.replace(first, [{ frame: 0, masks: [maskOf(1)] }])
    expect(store.on(0)).toEqual([])
  })
})

describe('the frames that are kept', () => {
  const asked: number[] = []
  let answers: ((image: Blob) => void)[] = []
  let closed = 0

  beforeEach(() => {
    asked.length = 0
    closed = 0
    answers = []
    vi.stubGlobal('createImageBitmap', () => Promise.resolve({ width: 8192, height: 4096, close: () => closed++ }))
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  const storeOf = () => {
    const failures: unknown[] = []
    const store = new FrameStore(
      (frame, signal) => {
        asked.push(frame)
        return new Promise((resolve, reject) => {
          answers.push(resolve)
          signal.addEventListener('abort', () => setTimeout(() => reject(new Error('aborted')), 5))
        })
      },
      () => {},
      (_, error) => failures.push(error),
    )
    return { store, failures }
  }

  it('loads a frame that was given up and is wished for again', async () => {
    const { store, failures } = storeOf()
    store.wish([1])
    store.wish([2])
    store.wish([1])
    await vi.advanceTimersByTimeAsync(20)
    expect(asked).toEqual([1, 2, 1])
    answers[2]!(new Blob(['x']))
    await vi.advanceTimersByTimeAsync(1)
    expect(store.get(1)).toBeDefined()
    expect(failures).toEqual([])
  })

  it('goes on with what is on its way and still wanted, and begins nothing else', async () => {
    const { store } = storeOf()
    store.wish([1, 2, 3, 4])
    store.narrow([2, 4, 5])
    answers[1]!(new Blob(['x']))
    await vi.advanceTimersByTimeAsync(20)
    expect(asked).toEqual([1, 2, 3])
    expect([1, 2, 3, 4].map((frame) => store.has(frame))).toEqual([false, true, false, false])
  })

  it('frees bitmaps: the oldest beyond its room, those replaced, and all when it is closed', () => {
    const { store } = storeOf()
    const bitmap = () => ({ width: 8192, height: 4096, close: () => closed++ }) as unknown as ImageBitmap
    store.put(1, bitmap())
    store.put(1, bitmap())
    expect(closed).toBe(1)
    store.put(2, bitmap())
    expect(closed).toBe(1)
    store.put(3, bitmap())
    expect(closed).toBe(2)
    expect(store.get(1)).toBeUndefined()
    store.close()
    expect(closed).toBe(4)
  })
})

describe('seeking', () => {
  const wishes: Record<string, number[]>[] = []
  const looks: number[] = []
  let there: number[] = []

  const playheadOf = ({ isVideo = true } = {}) => {
    const storeOf = (name: string) => ({
      wish: (frames: number[]) => wishes.push({ [name]: frames }),
      narrow: () => {},
      has: (frame: number) => there.includes(frame),
    })
    const open = {
      frames: storeOf('exact'),
      drafts: isVideo ? storeOf('draft') : undefined,
      frameCount: isVideo ? 100 : 1,
      prompting: { frameChanged: () => {} },
      loadMasks: () => {},
      fleeting: ({ frame }: { frame: number }) => looks.push(frame),
    }
    return new Playhead(open as unknown as OpenItem)
  }

  beforeEach(() => {
    wishes.length = looks.length = 0
    there = []
    vi.useFakeTimers()
  })
  afterEach(() => vi.useRealTimers())

  it('brings a draft of each frame, and exact ones where the person rests', () => {
    const playhead = playheadOf()
    playhead.seek(40)
    vi.advanceTimersByTime(50)
    playhead.seek(55)
    expect(wishes).toEqual([{ draft: [40] }, { draft: [55] }])
    vi.advanceTimersByTime(200)
    expect(wishes.slice(2)).toEqual([{ exact: [55, 56, 54, 53, 57, 58, 59, 60, 61, 62] }])
    expect(looks).toEqual([55])
  })

  it('brings nothing once the item is closed', () => {
    const playhead = playheadOf()
    playhead.seek(40)
    playhead.close()
    vi.advanceTimersByTime(200)
    expect(wishes).toEqual([{ draft: [40] }])
    expect(looks).toEqual([])
  })

  it('brings no draft of a frame that is there', () => {
    there = [7]
    playheadOf().seek(7)
    expect(wishes).toEqual([{ draft: [] }])
  })

  it('brings exact frames at once while playing, and of images', () => {
    const playing = playheadOf()
    playing.playing = true
    playing.seek(98)
    playheadOf({ isVideo: false }).seek(0)
    expect(wishes).toEqual([{ exact: [98, 99, 97, 96] }, { exact: [0] }])
  })
})

describe('proposals', () => {
  it('are chosen where they are seen, and shown again from another frame', () => {
    const playhead = { frame: 3, seek: (frame: number) => (playhead.frame = frame) }
    const proposals = new Proposals({ playhead, width: 10, height: 10, item: { id: 'i' } } as unknown as OpenItem)
    proposals.frame = 3
    proposals.received({ kind: 'everything', frame: 3, lastOfJob: true, masks: [maskOf(7)] } as never)
    proposals.toggleAt(0, 0)
    expect([...proposals.chosen]).toEqual([7])
    playhead.frame = 9
    proposals.toggleAt(0, 0)
    expect([...proposals.chosen]).toEqual([7])
    expect(playhead.frame).toBe(3)
  })
})
