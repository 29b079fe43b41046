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

  async function box(page: Page, left: number, top: number, right: number, bottom: number, object: number) {
    await page.mouse.move(...(await placeOf(page, left, top)))
    await page.mouse.down()
    await page.mouse.move(...(await placeOf(page, right, bottom)), { steps: 12 })
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
    await page.getByTestId('everything').click()
    await expect.poll(() => page.locator('[data-testid^="proposal-"]').count(), PATIENCE).toBeGreaterThan(3)
    await page.getByText('Finding proposals').first().waitFor({ state: 'detached', timeout: 120_000 })
    await picture(page, 'studio-everything')
    await page.close()
  }, 300_000)

  it('a video', async () => {
    const page = await started('dark')
    let frames = 0
    let recording = true
    const recorder = (async () => {
      while (recording) {
        const path = join(folder!, `recording-${String(frames++).padStart(4, '0')}.png`)
        await Promise.all([page.screenshot({ path }), new Promise((resolve) => setTimeout(resolve, 200))])
      }
    })()
    await page.waitForTimeout(1000)
    await open(page, 'juggle.mp4')
    await box(page, 229, 105, 262, 137, 1)
    await page.keyboard.press('n')
    await box(page, 228, 18, 312, 252, 2)
    await page.waitForTimeout(600)
    await page.keyboard.press('t')
    await expect.poll(() => page.getByTestId('status').textContent(), { timeout: 240_000 }).toMatch(/^Tracked/)
    await page.keyboard.press('Space')
    await page.waitForTimeout(4000)
    await page.keyboard.press('j')
    await page.waitForTimeout(1200)
    recording = false
    await recorder
    await picture(page, 'studio-review')
    await page.getByTestId('tab-objects').click()
    await picture(page, 'studio-video')
    await page.getByLabel('Projects').click()
    await page.getByTestId('project').first().waitFor()
    await picture(page, 'studio-start')
    await page.close()
  }, 400_000)
})
