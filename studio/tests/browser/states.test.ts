/** Every screen and state: nothing that axe objects to, no sideways scrolling, no errors in the console. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from './browser'
import { STATES } from './states'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const SIZES = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
  // 1280 pixels at a zoom of 400 %.
  { width: 320, height: 256 },
]

async function violations(page: Page): Promise<string[]> {
  const found = (await page.evaluate(`axe.run(document, { resultTypes: ['violations'] })`)) as AxeResults
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

describe('every state', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())

  it.each(STATES)('$name', async ({ server: make, reach }) => {
    const context = await browser.newContext({ viewport: SIZES[0]!, reducedMotion: 'reduce' })
    const server = make()
    await server.serve(context)
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error' && !/401|WebSocket/.test(message.text())) errors.push(message.text())
    })
    await reach(page, server)
    await page.evaluate(AXE)
    for (const viewport of SIZES) {
      await page.setViewportSize(viewport)
      for (const colorScheme of ['dark', 'light'] as const) {
        await page.emulateMedia({ colorScheme })
        expect(await violations(page)).toEqual([])
      }
      const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
      expect(await page.evaluate(overflow), `at ${viewport.width} pixels`).toBe(0)
    }
    expect(errors).toEqual([])
    await context.close()
  })
})
