/** How fast it feels, on this machine: `SPEED=1 npm run speed`. The timeline has 200 lanes of 200,000 frames. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'vitest'
import { placeOf } from './asking'
import { launch } from './browser'
import { FakeServer, ORIGIN } from './fake-server'
import { RealServer } from './real-server'
import { writeTenMinutes } from './videos'

const OBJECTS = 200
const FRAMES = 200_000

function largeVideo(): FakeServer {
  const server = FakeServer.ofVideo(FRAMES)
  const states = Array.from({ length: FRAMES / 400 }, (_, index) => ({
    frames: [400 * index, 400 * index + 300] as [number, number],
    state: 2,
  }))
  for (let id = 1; id <= OBJECTS; id++) server.addObject(id, states)
  return server
}

/** Milliseconds between 120 drawn frames in a row, each after one movement; runs in the page. */
async function gapsWhile(what: string): Promise<number[]> {
  const lanes = document.querySelector('.lanes')!
  const timeline = document.querySelector('[data-testid=timeline]')!
  const turn = (wheel: WheelEventInit) =>
    timeline.dispatchEvent(new WheelEvent('wheel', { clientX: 600, bubbles: true, cancelable: true, ...wheel }))
  const gaps: number[] = []
  for (let count = 0, last = performance.now(); count < 120; count++) {
    const now = await new Promise<number>(requestAnimationFrame)
    gaps.push(now - last)
    last = now
    if (what === 'scrolling') lanes.scrollTop += 37
    if (what === 'zooming') turn({ deltaY: count < 60 ? -20 : 20, ctrlKey: true })
    if (what === 'panning') turn({ deltaX: 15 })
  }
  return gaps.sort((a, b) => a - b)
}

it.skipIf(!process.env['SPEED'])('the timeline at its largest', async () => {
  const browser = await launch()
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  await largeVideo().serve(page.context())
  await page.goto(`${ORIGIN}/#/itm_1`)
  await page.getByTestId('lane-1').waitFor()
  for (const what of ['resting', 'scrolling', 'zooming', 'panning']) {
    const gaps = await page.evaluate(gapsWhile, what)
    console.log(`${what}: ${gaps[60]!.toFixed(1)} ms a frame, 95 % within ${gaps[114]!.toFixed(1)} ms`)
  }
  await browser.close()
})

/** Milliseconds from a click to its marker and to its mask; observes the page from within. */
function watchClicks(): void {
  const times = { clicked: 0, marked: 0, answered: 0 }
  Object.assign(globalThis, { times })
  let markers = 0
  let area = ''
  window.addEventListener(
    'pointerup',
    () => Object.assign(times, { clicked: performance.now(), marked: 0, answered: 0 }),
    true,
  )
  new MutationObserver(() => {
    const now = performance.now()
    const count = document.querySelectorAll('[data-testid=marker]').length
    const shown = document.querySelector('[data-testid=object-1]')?.getAttribute('data-area') ?? ''
    if (count > markers) times.marked ||= now
    if (shown !== area) times.answered ||= now
    markers = count
    area = shown
  }).observe(document, { subtree: true, childList: true, attributes: true })
}

/** Milliseconds to the marker and to the mask, once both are there; runs in the page. */
function timesOfClick(): [number, number] | undefined {
  const { clicked, marked, answered } = (globalThis as unknown as { times: Record<string, number> }).times
  return marked && answered ? [marked - clicked!, answered - clicked!] : undefined
}

/** "p50 .. ms, p95 .. ms" of what was measured. */
function percentiles(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(0)
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`
}

const CLICKS = 200

it.skipIf(!process.env['SPEED'])('clicks on an image, with the server', { timeout: 600_000 }, async () => {
  const [browser, server] = await Promise.all([launch(), RealServer.start()])
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  await page.addInitScript(() => localStorage.setItem('masklet-studio', '{"coachSeen":true,"hoverPreview":false}'))
  await page.addInitScript(watchClicks)
  await page.goto(server.address)
  await page.getByTestId('example-image').click()
  await page.getByTestId('canvas').waitFor({ timeout: 60_000 })
  const marked: number[] = []
  const answered: number[] = []
  for (let count = 0; count <= CLICKS; count++) {
    await page.mouse.click(...(await placeOf(page, 120 + ((37 * count) % 800), 220 + ((23 * count) % 260))))
    const [marker, mask] = (await (await page.waitForFunction(timesOfClick)).jsonValue()) as [number, number]
    marked.push(marker)
    answered.push(mask)
    // Without its prompt the object has no mask, so that the next click's is seen to arrive.
    await page.keyboard.press('Delete')
    await page.locator('[data-testid=object-1][data-area="0"]').waitFor()
    await page.getByTestId('marker').waitFor({ state: 'detached' })
  }
  console.log(`first click: marker ${marked[0]!.toFixed(0)} ms, mask ${answered[0]!.toFixed(0)} ms`)
  console.log(`${CLICKS} warm clicks: marker ${percentiles(marked.slice(1))}; mask ${percentiles(answered.slice(1))}`)
  await browser.close()
  await server.stop()
})

interface Seeks {
  frames: number[]
  /** Milliseconds between two. */
  pause?: number
  /** Whether to wait for the exact pixels, which are brought once the person rests. */
  exact?: boolean
}

/** Milliseconds from each seek to the frame and its mask on the screen; runs in the page. */
async function timesOfSeeks({ frames, pause = 30, exact = false }: Seeks): Promise<number[]> {
  const canvas = document.querySelector<HTMLElement>('.canvas > canvas')!
  const field = document.querySelector<HTMLInputElement>('.frame input')!
  const row = document.querySelector('[data-testid=object-1]')!
  const times: number[] = []
  for (const frame of frames) {
    const begun = performance.now()
    field.value = String(frame)
    field.dispatchEvent(new Event('change', { bubbles: true }))
    do await new Promise(requestAnimationFrame)
    while (
      canvas.dataset['shown'] !== String(frame) ||
      row.getAttribute('data-area') === '0' ||
      (exact && canvas.dataset['exact'] !== 'true')
    )
    times.push(performance.now() - begun)
    if (pause) await new Promise((resolve) => setTimeout(resolve, pause))
  }
  return times
}

/** Wait until drafts of frames come from the copy for scrubbing; runs in the page. */
async function copyIsThere(): Promise<void> {
  const item = document.querySelector<HTMLElement>('.canvas')!.dataset['item']
  const isCopy = async () => {
    const response = await fetch(`/api/v1/items/${item}/frames/0?draft=true`, { cache: 'no-store' })
    return response.headers.get('ETag')?.endsWith('-copy"')
  }
  while (!(await isCopy())) await new Promise((resolve) => setTimeout(resolve, 500))
}

/** Back and forth along the timeline, as a hand drags it. */
function dragged(middle: number): number[] {
  const forth = Array.from({ length: 40 }, (_, index) => middle + 15 * index)
  return [...forth, ...forth.toReversed().map((frame) => frame - 7)]
}

const TEN_MINUTES = Number(process.env['SCRUB_FRAMES'] ?? 15_000)

it.skipIf(!process.env['SPEED'])(
  'scrubbing ten minutes of 1080p, with the server',
  { timeout: 1_800_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'masklet-scrub-'))
    writeTenMinutes(folder, TEN_MINUTES)
    const [browser, server] = await Promise.all([launch(), RealServer.start()])
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
    await page.goto(server.address)
    await page.getByTestId('open-file').setInputFiles(join(folder, 'ten-minutes.mp4'))
    await page.getByTestId('canvas').waitFor({ timeout: 600_000 })
    const opened = performance.now()
    await page.evaluate(copyIsThere)
    console.log(`the copy for scrubbing: ${((performance.now() - opened) / 1000).toFixed(0)} s`)
    await page.getByTestId('import-file').setInputFiles(join(folder, 'masks.zip'))
    await page.locator(`[data-testid=lane-1][data-tracked="${TEN_MINUTES}"]`).waitFor({ timeout: 600_000 })
    const last = TEN_MINUTES - 1
    const random = Array.from({ length: 60 }, (_, index) => (index * 7919 + 13) % TEN_MINUTES)
    const middle = Math.floor(TEN_MINUTES / 2)
    const slow = Array.from({ length: 60 }, (_, index) => Math.min(last, middle + 3 * index))
    const runs: Record<string, Seeks> = {
      jumps: { frames: random },
      'every third frame': { frames: slow },
      dragging: { frames: dragged(middle - 300), pause: 0 },
      'exact after a jump': { frames: random.slice(0, 10).map((frame) => TEN_MINUTES - 1 - frame), exact: true },
    }
    for (const [name, seeks] of Object.entries(runs))
      console.log(`${name}: ${percentiles(await page.evaluate(timesOfSeeks, seeks))}`)
    await browser.close()
    await server.stop()
    rmSync(folder, { recursive: true })
  },
)
