/** Screenshots of every screen and state, to be looked at: `SCREENSHOTS=folder npm run screenshots`. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { launch } from './browser'
import { STATES } from './states'

const folder = process.env['SCREENSHOTS']
const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
]

describe.skipIf(!folder)('screenshots', () => {
  let browser: Browser
  beforeAll(async () => {
    mkdirSync(folder!, { recursive: true })
    browser = await launch()
  })
  afterAll(() => browser.close())

  const each = STATES.flatMap((state) => SIZES.map((viewport) => ({ ...state, viewport })))
  it.each(each)('$name at $viewport.width pixels', async ({ name, server: make, reach, viewport }) => {
    for (const colorScheme of ['dark', 'light'] as const) {
      const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' })
      await context.addInitScript(() => localStorage.setItem('masklet-studio', '{"coachSeen":true}'))
      const server = make()
      await server.serve(context)
      const page = await context.newPage()
      page.on('console', (message) => message.type() === 'error' && console.log(name, message.text()))
      page.on('pageerror', (error) => console.log(name, error))
      await reach(page, server).catch((error: unknown) => console.log(name, viewport.width, String(error)))
      await page.waitForTimeout(300)
      await page.screenshot({ path: join(folder!, `${name}-${viewport.width}-${colorScheme}.png`) })
      await context.close()
    }
  })
})
