/** A person's work, with a server in memory: what is shown at once, by keyboard alone, and without a connection. */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { text } from '../../src/text'
import { areaOf, placeOf } from './asking'
import { launch } from './browser'
import { FakeServer, ORIGIN } from './fake-server'
import { STATES } from './states'

let browser: Browser
let context: BrowserContext
beforeAll(async () => {
  browser = await launch()
})
afterEach(() => context.close())
afterAll(() => browser.close())

async function opened(server: FakeServer): Promise<Page> {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' })
  await context.addInitScript(() => localStorage.setItem('masklet-studio', '{"coachSeen":true}'))
  await server.serve(context)
  const page = await context.newPage()
  await page.goto(`${ORIGIN}/#/itm_1`)
  await page.getByTestId('canvas').waitFor()
  await page.getByTestId('objects').waitFor()
  return page
}

describe('prompting', () => {
  it('adds a point by a click, excludes by a right click, and removes by a click on the marker', async () => {
    const server = FakeServer.ofImage()
    const page = await opened(server)
    const place = await placeOf(page, 320, 425)
    await page.mouse.click(...place)
    await page.getByTestId('object-1').waitFor()
    expect(await areaOf(page, 1)).toBeGreaterThan(10_000)
    await page.mouse.click(...(await placeOf(page, 600, 425)), { button: 'right' })
    await expect.poll(() => page.getByTestId('marker').count()).toBe(2)
    expect(await page.getByTestId('marker').nth(1).getAttribute('aria-label')).toContain('Excluding')
    await page.mouse.click(...place)
    await expect.poll(() => page.getByTestId('marker').count()).toBe(1)
    await page.getByTestId('marker').focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => server.commands.at(-1)).toBe('clear')
  })

  it('makes another object where N comes before the answer to the click before it', async () => {
    const server = FakeServer.ofImage()
    let answer = () => {}
    server.answersAfter = new Promise<void>((resolve) => (answer = resolve))
    const page = await opened(server)
    await page.mouse.click(...(await placeOf(page, 320, 425)))
    await page.keyboard.press('n')
    await page.mouse.click(...(await placeOf(page, 700, 300)))
    await expect.poll(() => server.commands.filter((verb) => verb === 'prompt').length).toBe(2)
    answer()
    await page.getByTestId('object-2').waitFor()
    expect(server.objects.map(({ prompts }) => prompts[0]!.points.length)).toEqual([1, 1])
    await expect.poll(() => page.getByTestId('object-2').getAttribute('aria-selected')).toBe('true')
  })

  it('makes one new object of two quick clicks', async () => {
    const server = FakeServer.ofImage()
    const page = await opened(server)
    await page.mouse.click(...(await placeOf(page, 320, 425)))
    await page.mouse.click(...(await placeOf(page, 500, 425)))
    await expect.poll(() => server.commands.filter((verb) => verb === 'prompt').length).toBe(2)
    expect(server.objects).toHaveLength(1)
  })

  it('works by keyboard alone', async () => {
    const page = await opened(FakeServer.ofImage())
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-testid'))
    for (let count = 0; count < 40 && (await focused()) !== 'canvas'; count++) await page.keyboard.press('Tab')
    expect(await focused()).toBe('canvas')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await page.getByTestId('object-1').waitFor()
    for (let count = 0; count < 10 && (await focused()) !== 'crosshair-xy'; count++) await page.keyboard.press('Tab')
    await page.keyboard.press('Control+A')
    await page.keyboard.type('700, 200')
    await page.keyboard.press('Shift+Enter')
    await expect.poll(() => page.getByTestId('marker').count()).toBe(2)
    expect(await page.getByTestId('status').textContent()).toMatch(/^Object 1, frame 0: [\d.]+ % of the frame/)
  })

  it('keeps clicks while the connection is lost and sends them after', async () => {
    const server = FakeServer.ofImage()
    const page = await opened(server)
    await expect.poll(() => server.commands).toContain('hello')
    server.acceptsSockets = false
    await server.socket!.close({ code: 1001 })
    await page.getByTestId('reconnecting').waitFor()
    await page.mouse.click(...(await placeOf(page, 320, 425)))
    await page.getByTestId('marker').waitFor()
    expect(await page.getByTestId('reconnecting').textContent()).toContain('1 to send')
    server.acceptsSockets = true
    await page.getByTestId('object-1').waitFor()
    await page.getByTestId('reconnecting').waitFor({ state: 'detached' })
  })
})

describe('everything', () => {
  const circle = { object: 7, x: 300, y: 300, rx: 60, ry: 60 }

  it('shows what an earlier visit left open, and looks for more when asked to', async () => {
    const server = FakeServer.ofImage()
    server.kept = [circle]
    server.proposals = [{ ...circle, object: 8 }]
    const page = await opened(server)
    await page.getByTestId('everything').click()
    await page.getByTestId('proposal-7').waitFor()
    expect(server.commands).not.toContain('everything')
    await page.getByRole('button', { name: text.everything.find }).click()
    await page.getByTestId('proposal-8').waitFor()
    expect(await page.getByTestId('proposal-7').count()).toBe(0)
  })
})

describe('an export', () => {
  it('goes on when its dialog is closed, and is offered when that is opened again', async () => {
    const server = STATES.find(({ name }) => name === 'exporting')!.server()
    const page = await opened(server)
    await page.getByTestId('object-2').waitFor()
    await page.getByTestId('export').click()
    await page.getByTestId('export-davis').check()
    await page.getByTestId('start-export').click()
    await page.getByText(text.exporting.working).waitFor()
    await page.keyboard.press('Escape')
    server.exported = { state: 'done', result: { export: 'exp_1' } }
    await expect.poll(() => page.getByTestId('status').textContent()).toBe(text.exporting.done)
    await page.getByTestId('export').click()
    expect(await page.getByTestId('download').getAttribute('href')).toContain('exports/exp_1')
    expect(await page.getByTestId('export-davis').isChecked()).toBe(true)
    await page.getByTestId('export-coco').check()
    await page.getByTestId('start-export').waitFor()
  })
})

describe('a video', () => {
  const tracked = STATES.find(({ name }) => name === 'video-tracked')!.server

  it('counts frames by state on its lanes', async () => {
    const page = await opened(tracked())
    const lane = page.getByTestId('lane-1')
    await lane.waitFor()
    const counts = ['tracked', 'stale', 'absent'].map((name) => lane.getAttribute(`data-${name}`))
    expect(await Promise.all(counts)).toEqual(['151', '50', '0'])
    expect(await lane.getAttribute('aria-valuetext')).toBe('frame 0, prompted; 201 frames tracked')
  })

  it('shows a draft of the frame that is sought, and its exact pixels once they are there', async () => {
    const page = await opened(FakeServer.ofVideo(100))
    let release = () => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    await page.route(/frames\/70\?type=jpeg$/, async (route) => {
      await released
      await route.fallback()
    })
    await page.locator('.frame input').fill('70')
    await page.keyboard.press('Enter')
    await page.locator('canvas[data-shown="70"][data-exact="false"]').waitFor()
    release()
    await page.locator('canvas[data-shown="70"][data-exact="true"]').waitFor()
  })

  it('leads to the worst stop first, and on when it looks right', async () => {
    const page = await opened(tracked())
    await page.getByTestId('tab-review').getByText('2').waitFor()
    await page.keyboard.press('j')
    await expect.poll(() => page.getByTestId('canvas').getAttribute('data-frame')).toBe('40')
    await page.keyboard.press('y')
    await expect.poll(() => page.getByTestId('canvas').getAttribute('data-frame')).toBe('55')
    expect(await page.getByTestId('stop-0').getAttribute('data-object')).toBe('2')
    expect(await page.getByTestId('stop-1').count()).toBe(0)
  })

  it('makes lanes of what is visible only', async () => {
    const server = FakeServer.ofVideo(200_000)
    for (let id = 1; id <= 200; id++)
      server.addObject(
        id,
        Array.from({ length: 500 }, (_, index) => ({ frames: [400 * index, 400 * index + 300], state: 2 })),
      )
    const page = await opened(server)
    await page.getByTestId('lane-1').waitFor()
    expect(await page.locator('[data-testid^="lane-"]').count()).toBeLessThan(20)
    await page.locator('.lanes').evaluate((lanes) => (lanes.scrollTop = lanes.scrollHeight))
    await page.getByTestId('lane-200').waitFor()
    expect(await page.getByTestId('lane-200').getAttribute('data-tracked')).toBe('150500')
    expect(await page.getByTestId('lane-1').count()).toBe(0)
  })
})
