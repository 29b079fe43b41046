/** Frames a second while scrolling, zooming and panning 200 lanes of 200,000 frames: `SPEED=1 npm run speed`. */
import { it } from 'vitest'
import { launch } from './browser'
import { FakeServer, ORIGIN } from './fake-server'

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
