/** How fast it feels, on this machine: `SPEED=1 npm run speed`. The timeline has 200 lanes of 200,000 frames. */
import { it } from 'vitest'
import { placeOf } from './asking'
import { launch } from './browser'
import { FakeServer, ORIGIN } from './fake-server'
import { RealServer } from './real-server'

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

it.skipIf(!process.env['SPEED'])('clicks on an image, with the server', { timeout: 300_000 }, async () => {
  const [browser, server] = await Promise.all([launch(), RealServer.start()])
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  await page.addInitScript(() => localStorage.setItem('masklet-studio', '{"coachSeen":true,"hoverPreview":false}'))
  await page.addInitScript(watchClicks)
  await page.goto(server.address)
  await page.getByTestId('example-image').click()
  await page.getByTestId('canvas').waitFor({ timeout: 60_000 })
  const marked: number[] = []
  const answered: number[] = []
  for (let count = 0; count < 20; count++) {
    await page.mouse.click(...(await placeOf(page, 300 + 15 * count, 300 + 5 * count)))
    const [marker, mask] = (await (await page.waitForFunction(timesOfClick)).jsonValue()) as [number, number]
    marked.push(marker)
    answered.push(mask)
    await page.waitForTimeout(300)
  }
  const middle = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!.toFixed(0)
  console.log(`marker ${middle(marked)} ms, mask ${middle(answered)} ms; first mask ${answered[0]!.toFixed(0)} ms`)
  await browser.close()
  await server.stop()
})
