/** What tests ask of the page, by the attributes that it keeps for outside tests. */
import type { Page } from 'playwright-core'

/** The place of a frame pixel on the page. */
export async function placeOf(page: Page, x: number, y: number): Promise<[number, number]> {
  const canvas = page.getByTestId('canvas')
  const number = async (name: string) => Number(await canvas.getAttribute(`data-${name}`))
  const [scale, left, top] = [await number('scale'), await number('x'), await number('y')]
  return [x * scale + left, y * scale + top]
}

export async function areaOf(page: Page, object: number): Promise<number> {
  const row = page.getByTestId(`object-${object}`)
  return (await row.count()) ? Number(await row.getAttribute('data-area')) : 0
}

export async function frameShown(page: Page): Promise<number> {
  return Number(await page.getByTestId('canvas').getAttribute('data-frame'))
}
