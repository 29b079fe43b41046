/** The pictures and the recording of the documents, with the real server: `PICTURES=folder npm run pictures`. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { areaOf, placeOf } from './asking'
import { launch } from './browser'
import { RealServer } from './real-server'

const ASSETS = join(import.meta.dirname, '../../../assets')
const PATIENCE = { timeout: 120_000 }
const folder = process.env['PICTURES']

describe.skipIf(!folder)('pictures', () => {
  let browser: Browser
  let server: RealServer
  beforeAll(async () => {
    mkdirSync(folder!, { recursive: true })
    ;[browser, server] = await Promise.all([launch(), RealServer.start()])
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  async function started(colorScheme: 'dark' | 'light'): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme })
    await page.addInitScript(() => localStorage.setItem('masklet-studio', '{"coachSeen":true,"hoverPreview":false}'))
    await page.goto(server.address)
    await page.getByTestId('start').waitFor()
    return page
  }

  async function open(page: Page, file: string): Promise<void> {
    await page.getByTestId('open-file').setInputFiles(join(ASSETS, file))
    await page.getByTestId('canvas').waitFor(PATIENCE)
    await page.waitForTimeout(800)
  }

  async function box(
    page: Page,
    left: number,
    top: number,
    right: number,
    bottom: number,
    object: number,
    shot?: (milliseconds: number) => Promise<void>,
  ): Promise<void> {
    await page.mouse.move(...(await placeOf(page, left, top)))
    await page.mouse.down()
    for (let step = 1; step <= 8; step++) {
      const at = [left + ((right - left) * step) / 8, top + ((bottom - top) * step) / 8] as const
      await page.mouse.move(...(await placeOf(page, ...at)))
      await shot?.(60)
    }
    await page.mouse.up()
    await expect.poll(() => areaOf(page, object), PATIENCE).toBeGreaterThan(0)
  }

  async function picture(page: Page, name: string): Promise<void> {
    await page.mouse.move(4, 400)
    await page.waitForTimeout(500)
    await page.screenshot({ path: join(folder!, `${name}.png`) })
  }

  it('an image', async () => {
    const page = await started('light')
    await open(page, 'truck.jpg')
    await box(page, 72, 158, 974, 488, 1)
    await page.keyboard.press('n')
    await box(page, 262, 366, 372, 484, 2)
    await page.keyboard.press('n')
    await box(page, 790, 338, 893, 448, 3)
    await picture(page, 'studio-image')
    await page.close()
  }, 300_000)

  it('a video', async () => {
    const page = await started('dark')
    const shot = recorder(page, folder!)
    await shot(1500)
    await open(page, 'juggle.mp4')
    await shot(1000)
    await box(page, 229, 105, 262, 137, 1, shot)
    await shot(900)
    await page.keyboard.press('n')
    await box(page, 228, 18, 312, 252, 2, shot)
    await shot(900)
    await page.keyboard.press('t')
    const lane = page.getByTestId('lane-1')
    for (let shown = ''; !/^Tracked/.test((await page.getByTestId('status').textContent()) ?? ''); ) {
      const tracked = await lane.getAttribute('data-tracked')
      if (tracked !== shown) await shot(90)
      shown = tracked ?? ''
    }
    await shot(1000)
    for (let frame = 1; frame < 48; frame++) {
      await page.keyboard.press('f')
      await page.waitForTimeout(150)
      await shot(70)
    }
    await page.keyboard.press('j')
    await page.waitForTimeout(400)
    await shot(2500)
    await picture(page, 'studio-review')
    await page.getByTestId('tab-objects').click()
    await picture(page, 'studio-video')
    await page.getByLabel('Projects').click()
    await page.getByTestId('project').first().waitFor()
    await picture(page, 'studio-start')
    await page.close()
  }, 400_000)
})

/** Screenshots in order, the milliseconds that each is shown in its name. */
function recorder(page: Page, into: string): (milliseconds: number) => Promise<void> {
  let count = 0
  return async (milliseconds) => {
    const path = join(into, `recording-${String(count++).padStart(4, '0')}-${milliseconds}.png`)
    await page.screenshot({ path })
  }
}
