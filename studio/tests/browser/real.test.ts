/** From the first click to a reviewed track, with the server and the bundled model. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { areaOf, frameShown, placeOf } from './asking'
import { launch } from './browser'
import { RealServer } from './real-server'

const ASSETS = join(import.meta.dirname, '../../../assets')
const PATIENCE = { timeout: 60_000 }

let browser: Browser
let server: RealServer
let context: BrowserContext
let page: Page
const requests: string[] = []

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launch(), RealServer.start()])
})
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' })
  await context.addInitScript(() => localStorage.setItem('masklet-studio', '{"coachSeen":true}'))
  context.on('request', (request) => requests.push(new URL(request.url()).origin))
  page = await context.newPage()
  await page.goto(server.address)
  await page.getByTestId('start').waitFor()
})
afterEach(() => context.close())
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

async function open(file: string): Promise<void> {
  await page.getByTestId('open-file').setInputFiles(join(ASSETS, file))
  await page.getByTestId('canvas').waitFor(PATIENCE)
}

async function drag(from: [number, number], to: [number, number]): Promise<void> {
  await page.mouse.move(...(await placeOf(page, ...from)))
  await page.mouse.down()
  await page.mouse.move(...(await placeOf(page, ...to)), { steps: 4 })
  await page.mouse.up()
}

describe('an image', () => {
  it('is segmented by clicks and by keyboard alike, undone and redone', async () => {
    await open('truck.jpg')
    expect(page.url()).not.toContain('token')
    await page.mouse.click(...(await placeOf(page, 320, 425)))
    await page.getByTestId('marker').waitFor()
    await expect.poll(() => areaOf(page, 1), PATIENCE).toBeGreaterThan(0)
    await expect
      .poll(() => page.getByTestId('status').textContent())
      .toMatch(/^object 1, frame 0: [\d.]+ % of the frame, score 0.\d\d/i)
    const clicked = await areaOf(page, 1)

    await page.keyboard.press('n')
    await page.getByTestId('crosshair-xy').fill('320, 425')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByTestId('object-2').count(), PATIENCE).toBe(1)
    await expect.poll(() => areaOf(page, 2), PATIENCE).toBe(clicked)

    await page.getByTestId('canvas').focus()
    await page.keyboard.press('Control+z')
    await expect.poll(() => page.getByTestId('object-2').count(), PATIENCE).toBe(0)
    await page.keyboard.press('Control+y')
    await expect.poll(() => areaOf(page, 2), PATIENCE).toBe(clicked)
    expect(new Set(requests)).toEqual(new Set([server.origin]))
  })

  it('offers everything on it, of which what is accepted becomes objects, and is undone at once', async () => {
    await open('cars.jpg')
    await page.getByTestId('everything').click()
    const proposals = page.locator('[data-testid^="proposal-"]')
    await expect.poll(() => proposals.count(), { timeout: 120_000 }).toBeGreaterThan(3)
    await proposals.nth(0).check()
    await proposals.nth(2).check()
    await page.getByTestId('accept').click()
    await expect.poll(() => areaOf(page, 2), PATIENCE).toBeGreaterThan(0)
    await page.getByTestId('undo').click()
    await expect.poll(() => page.getByTestId('object-1').count(), PATIENCE).toBe(0)
  }, 200_000)
})

describe('a server that is killed', () => {
  it('has all that it acknowledged when it is back, and gets what was done meanwhile', async () => {
    await open('truck.jpg')
    await page.mouse.click(...(await placeOf(page, 320, 425)))
    await expect.poll(() => areaOf(page, 1), PATIENCE).toBeGreaterThan(0)
    const area = await areaOf(page, 1)
    await server.crash()
    await page.getByTestId('reconnecting').waitFor(PATIENCE)
    await page.keyboard.press('n')
    await page.mouse.click(...(await placeOf(page, 820, 390)))
    await page.getByTestId('marker').waitFor()
    await server.restart()
    await expect.poll(() => areaOf(page, 2), PATIENCE).toBeGreaterThan(0)
    expect(await areaOf(page, 1)).toBe(area)
    await page.getByTestId('reconnecting').waitFor({ state: 'detached' })
  }, 200_000)
})

describe('a camera', () => {
  it('is followed as it goes on, and becomes a video', async () => {
    await page.getByTestId('camera').click()
    await page.getByTestId('live').waitFor(PATIENCE)
    await expect.poll(() => frameShown(page), PATIENCE).toBeGreaterThan(1)
    await page.mouse.click(...(await placeOf(page, 320, 240)))
    await expect.poll(() => areaOf(page, 1), PATIENCE).toBeGreaterThan(0)
    const clicked = await frameShown(page)
    await expect.poll(() => frameShown(page), PATIENCE).toBeGreaterThan(clicked + 3)

    await page.getByTestId('live-finish').click()
    const lane = page.getByTestId('lane-1')
    await lane.waitFor(PATIENCE)
    expect(Number(await lane.getAttribute('data-tracked'))).toBeGreaterThan(2)
    await expect.poll(() => page.getByTestId('live').count()).toBe(0)
  }, 200_000)
})

describe('a video', () => {
  it('is tracked from a box, survives a reload, and is shown in a second tab', async () => {
    await open('juggle.mp4')
    await drag([229, 105], [262, 137])
    await expect.poll(() => areaOf(page, 1), PATIENCE).toBeGreaterThan(0)
    await page.keyboard.press('t')
    const lane = page.getByTestId('lane-1')
    await expect.poll(async () => Number(await lane.getAttribute('data-tracked')), PATIENCE).toBeGreaterThan(5)
    await page.reload()
    await expect.poll(() => lane.getAttribute('data-tracked'), { timeout: 120_000 }).toBe('48')
    await page.getByTestId('job').waitFor({ state: 'detached' })
    await page.getByTestId('canvas').focus()
    await page.keyboard.press('f')
    await expect.poll(() => areaOf(page, 1), PATIENCE).toBeGreaterThan(0)

    const second = await context.newPage()
    await second.goto(page.url())
    await second.getByTestId('object-1').waitFor()
    await expect.poll(() => frameShown(second)).toBe(0)
    await second.getByTestId('canvas').focus()
    await second.keyboard.press('f')
    const area = await areaOf(page, 1)
    await expect.poll(() => areaOf(second, 1), PATIENCE).toBe(area)
    await page.keyboard.press('Delete')
    await second.keyboard.press('d')
    await page.keyboard.press('d')
    await page.keyboard.press('Delete')
    await expect.poll(() => second.getByTestId('marker').count(), PATIENCE).toBe(0)
  }, 200_000)

  it('leads to its stops and counts those that look right', async () => {
    await open('juggle.mp4')
    await drag([229, 105], [262, 137])
    await expect.poll(() => areaOf(page, 1), PATIENCE).toBeGreaterThan(0)
    await page.keyboard.press('t')
    await expect
      .poll(() => page.getByTestId('status').textContent(), { timeout: 120_000 })
      .toMatch(/^Tracked; [1-9]\d* stops?/)
    await page.getByTestId('tab-review').click()
    const stops = page.locator('[data-testid^="stop-"]')
    const count = await stops.count()
    const frame = await page.getByTestId('stop-0').getAttribute('data-frame')
    await page.keyboard.press('j')
    expect(await frameShown(page)).toBe(Number(frame))
    await page.keyboard.press('y')
    await expect.poll(() => stops.count()).toBe(count - 1)

    await page.getByTestId('export').click()
    await page.getByTestId('export-davis').check()
    const losses = () => page.getByTestId('losses').textContent()
    await expect.poll(losses, PATIENCE).toMatch(/What the format cannot hold:.*masks lose their score/)
    await page.getByTestId('start-export').click()
    await expect.poll(losses, PATIENCE).toMatch(/What the format could not hold:.*masks lose their score/)
    await page.getByTestId('export-strict').check()
    await page.getByTestId('start-export').click()
    await page.getByText('DAVIS 2017 cannot hold all of').waitFor()
    await page.getByTestId('export-coco').check()
    await page.getByTestId('export-strict').uncheck()
    await page.getByTestId('start-export').click()
    const downloading = page.waitForEvent('download')
    await page.getByTestId('download').click()
    const download = await downloading
    expect(download.suggestedFilename()).toMatch(/\.zip$/)

    await page.keyboard.press('Escape')
    const buffer = readFileSync(await download.path())
    await page.getByTestId('import-file').setInputFiles({ name: 'masks.zip', mimeType: 'application/zip', buffer })
    const lane = page.getByTestId('lane-2')
    await lane.waitFor(PATIENCE)
    await expect.poll(() => lane.getAttribute('data-tracked'), PATIENCE).toBe('48')
  }, 200_000)
})
