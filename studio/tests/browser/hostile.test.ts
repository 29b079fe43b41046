/** What breaks pages: names, sizes, hands and networks that nobody had in mind. */
import { type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { text } from '../../src/text'
import { placeOf } from './asking'
import { launch } from './browser'
import { FakeServer, ORIGIN } from './fake-server'

let browser: Browser
let context: BrowserContext
const errors: string[] = []
beforeAll(async () => {
  browser = await launch()
})
afterEach(async () => {
  await context.close()
  expect(errors.splice(0)).toEqual([])
})
afterAll(() => browser.close())

async function started(server: FakeServer, options: BrowserContextOptions = {}): Promise<Page> {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', ...options })
  await context.addInitScript(() => localStorage.setItem('masklet-studio', '{"coachSeen":true}'))
  await server.serve(context)
  const page = await context.newPage()
  page.on('pageerror', (error) => errors.push(String(error)))
  await page.goto(server.origin)
  return page
}

async function opened(server: FakeServer, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await started(server, options)
  await page.goto(`${server.origin}/#/itm_1`)
  await page.getByTestId('canvas').waitFor()
  await expect.poll(() => server.commands).toContain('hello')
  return page
}

/** Drop a file on the middle of the page, as a hand does; whether the browser would have left the page for it. */
function drop(page: Page, name: string, type: string): Promise<boolean> {
  return page.evaluate(
    ([name, type]) => {
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File(['x'], name!, { type: type! }))
      const target = document.elementFromPoint(innerWidth / 2, innerHeight / 2)!
      const event = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true })
      return target.dispatchEvent(event)
    },
    [name, type],
  )
}

describe('another machine', () => {
  it('signs in over plain HTTP, where browsers leave out what is for secure pages', async () => {
    const server = FakeServer.ofImage(undefined, 'http://other-machine.test')
    const page = await started(server)
    expect(await page.evaluate(() => isSecureContext)).toBe(false)
    await page.goto(`${server.origin}/#token=secret`)
    await page.getByTestId('project').waitFor()
    await page.goto(`${server.origin}/#/itm_1`)
    await page.mouse.click(...(await placeOf(page, 320, 425)))
    await page.getByTestId('object-1').waitFor()
    server.refusal = { code: 'model_failed', message: 'No memory left.' }
    await page.getByTestId('undo').click()
    expect(await page.getByTestId('error').textContent()).toContain('model_failed')
  })
})

describe('files', () => {
  it('that are no media are refused by name', async () => {
    const page = await started(FakeServer.ofImage())
    await page.getByTestId('start').waitFor()
    await drop(page, 'notes.txt', 'text/plain')
    expect(await page.getByTestId('error').textContent()).toContain(text.errors.noMedia('notes.txt'))
  })

  it('that are dropped on an open item do not make the browser leave the page', async () => {
    const page = await opened(FakeServer.ofImage())
    expect(await drop(page, 'notes.txt', 'text/plain')).toBe(false)
    await page.getByTestId('error').waitFor()
    expect(await page.getByTestId('canvas').count()).toBe(1)
  })
})

describe('names', () => {
  it('are text, and may be the same', async () => {
    const server = FakeServer.ofImage()
    const name = '<img src=x onerror="document.title=1">&amp;'
    for (const id of [1, 2, 3]) server.addObject(id)
    server.objects = server.objects.map((object) => ({ ...object, name, class: name }))
    server.item.name = server.projects[0]!.name = name
    const page = await opened(server)
    expect(await page.getByTestId('object-2').textContent()).toContain(name)
    await page
      .getByRole('button', { name: text.objects.menu(name) })
      .first()
      .click()
    expect(await page.getByRole('menuitem', { name: text.objects.mergeInto(name) }).count()).toBe(2)
    expect(await page.title()).toBe(`${name} · ${text.name}`)
    expect(await page.locator('main img').count()).toBe(0)
  })

  it('of classes are given to objects', async () => {
    const server = FakeServer.ofImage()
    server.addObject(1)
    const page = await opened(server)
    await page.getByRole('button', { name: text.objects.menu('Object 1') }).click()
    await page.getByRole('menuitem', { name: text.objects.changeClass }).click()
    await page.keyboard.type('car')
    await page.keyboard.press('Enter')
    await expect.poll(() => server.objects[0]!.class).toBe('car')
    expect(await page.getByTestId('object-1').textContent()).toContain('car')
  })
})

describe('sizes', () => {
  it.each([
    { width: 1, height: 1 },
    { width: 16_384, height: 4 },
    { width: 3, height: 12_000 },
    { width: 16_384, height: 6_000 },
  ])('of $width by $height pixels are shown whole and clicked into', async (size) => {
    const server = FakeServer.ofImage(size)
    const page = await opened(server)
    const middle = await placeOf(page, size.width / 2, size.height / 2)
    await page.mouse.click(...middle)
    await page.getByTestId('object-1').waitFor()
    const [[x, y]] = server.objects[0]!.prompts[0]!.points as [[number, number, number]]
    expect(x).toBeLessThan(size.width)
    expect(y).toBeLessThan(size.height)
    await page.getByTestId('canvas').focus()
    for (let count = 0; count < 60; count++) await page.keyboard.press('+')
    await page.keyboard.press('0')
    const canvas = page.getByTestId('canvas')
    const scale = Number(await canvas.getAttribute('data-scale'))
    expect(size.width * scale).toBeLessThan(1280)
    expect(size.height * scale).toBeLessThan(800)
  })

  it('of 200 objects make no menus before one is opened', async () => {
    const server = FakeServer.ofVideo()
    for (let id = 1; id <= 200; id++) server.addObject(id)
    const page = await opened(server)
    await page.getByTestId('object-200').waitFor()
    expect(await page.locator('[role=menuitem]').count()).toBe(0)
    await page.getByRole('button', { name: text.objects.menu('Object 1'), exact: true }).click()
    await page.getByRole('menuitem', { name: text.objects.mergeInto('Object 200') }).waitFor()
  })
})

describe('hands', () => {
  it('that pinch with the brush leave no stroke, and zoom', async () => {
    const server = FakeServer.ofImage()
    const page = await opened(server, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
    const [x, y] = await placeOf(page, 500, 300)
    const box = (await page.getByTestId('canvas').boundingBox())!
    const touch = await context.newCDPSession(page)
    const at = (...points: [number, number][]) => points.map(([dx, dy]) => ({ x: box.x + x + dx, y: box.y + y + dy }))
    const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...points: [number, number][]) =>
      touch.send('Input.dispatchTouchEvent', { type, touchPoints: at(...points) })
    const picture = () => page.locator('.canvas > canvas').evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL())
    // Without its frame, the picture is one colour.
    await expect.poll(async () => (await picture()).length).toBeGreaterThan(50_000)
    const untouched = await picture()
    await page.getByLabel(text.actions.brush).click()
    const before = Number(await page.getByTestId('canvas').getAttribute('data-scale'))
    await send('touchStart', [-20, 0])
    await send('touchStart', [-20, 0], [20, 0])
    await send('touchMove', [-60, 0], [60, 0])
    await send('touchEnd')
    expect(Number(await page.getByTestId('canvas').getAttribute('data-scale'))).toBeGreaterThan(before)
    expect(server.commands).not.toContain('prompt')
    await page.getByLabel(text.actions.fit).click()
    await expect.poll(picture).toBe(untouched)

    await page.getByLabel(text.actions.smartSelect).click()
    await page.touchscreen.tap(box.x + x, box.y + y)
    await page.getByTestId('object-1').waitFor()
    await page.getByLabel(text.workspace.label).click()
    await page.touchscreen.tap(box.x + x + 40, box.y + y)
    await expect.poll(() => server.objects[0]!.prompts[0]!.points.map(([, , label]) => label)).toEqual([1, 0])
  })

  it('that leave the window with Space held do not keep on moving the frame', async () => {
    const server = FakeServer.ofImage()
    const page = await opened(server)
    await page.getByTestId('canvas').focus()
    await page.keyboard.down(' ')
    await page.evaluate(() => window.dispatchEvent(new Event('blur')))
    await page.mouse.click(...(await placeOf(page, 320, 425)))
    await page.getByTestId('object-1').waitFor()
  })

  it('that go back and forth leave one connection behind, or none', async () => {
    const server = FakeServer.ofImage()
    const page = await opened(server)
    await page.evaluate(() => {
      for (let count = 0; count < 5; count++) {
        location.hash = '#/'
        location.hash = '#/itm_1'
      }
    })
    await page.getByTestId('canvas').waitFor()
    await expect.poll(() => server.sockets).toBe(1)
    await page.goBack()
    await page.getByTestId('start').waitFor()
    await page.goForward()
    await page.getByTestId('canvas').waitFor()
    await page.goBack()
    await page.getByTestId('start').waitFor()
    await expect.poll(() => server.sockets).toBe(0)
  })
})

describe('networks and browsers', () => {
  it('that end the session keep what is done until the person signed in again', async () => {
    const server = FakeServer.ofImage()
    const page = await opened(server)
    server.signedIn = server.acceptsSockets = false
    await server.socket!.close({ code: 1001 })
    await page.getByText(text.connection.reasons['unauthenticated']!).waitFor()
    await page.mouse.click(...(await placeOf(page, 320, 425)))
    await page.getByTestId('marker').waitFor()
    server.signedIn = server.acceptsSockets = true
    await page.getByTestId('object-1').waitFor()
    await page.getByTestId('reconnecting').waitFor({ state: 'detached' })
  })

  it('that keep nothing for the page let settings change all the same', async () => {
    const page = await started(FakeServer.ofImage())
    await page.evaluate(() => {
      Storage.prototype.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError')
      }
    })
    await page.getByTestId('theme').click()
    expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('light')
    expect(ORIGIN).toBe(new URL(page.url()).origin)
  })
})
