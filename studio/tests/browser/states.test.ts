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

/** Mark what has the focus; undefined where the browser has it, 'again' where it was marked before. Runs in the page. */
function visit(): string | undefined {
  const focused = document.activeElement as HTMLElement
  if (focused === document.body) return undefined
  if (focused.dataset['visited']) return 'again'
  focused.dataset['visited'] = 'yes'
  const places = [focused, focused.parentElement!, focused.nextElementSibling ?? focused]
  const isSeen = (place: Element) => getComputedStyle(place).outlineStyle !== 'none'
  const isMarked = focused.matches('.marker') && getComputedStyle(focused.querySelector('.target')!).stroke !== 'none'
  return places.some(isSeen) || isMarked ? 'seen' : `not seen: ${focused.outerHTML.slice(0, 200)}`
}

/** Tab passes through all that can be focused, visibly, and comes back to where it began. */
async function expectFocusToGoRound(page: Page): Promise<void> {
  await page.evaluate(() => (document.activeElement as HTMLElement).blur())
  const seen: (string | undefined)[] = []
  for (let count = 0; count < 250 && seen.at(-1) !== 'again'; count++) {
    await page.keyboard.press('Tab')
    seen.push(await page.evaluate(visit))
  }
  expect(seen.at(-1), 'focus does not come back').toBe('again')
  expect(seen.filter((what) => what?.startsWith('not seen'))).toEqual([])
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
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0)
    await expectFocusToGoRound(page)
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
