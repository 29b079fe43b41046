/** States that pass: something is on its way, open for a moment, or went wrong. */
import { text } from '../../src/text'
import { FakeServer, ORIGIN } from './fake-server'
import { fileOf, hanging, open, type State, trackedVideo } from './setups'

export const MOMENTS: State[] = [
  {
    name: 'error',
    server: trackedVideo,
    reach: async (page, server) => {
      await open(page)
      await page.getByTestId('object-1').waitFor()
      server.refusal = { code: 'model_failed', message: 'The device has no memory left for this frame.' }
      await page.getByTestId('track').click()
      await page.getByTestId('error').waitFor()
    },
  },
  {
    name: 'reconnecting',
    server: trackedVideo,
    reach: async (page, server) => {
      await open(page)
      await page.getByTestId('object-1').waitFor()
      server.acceptsSockets = false
      await server.socket!.close({ code: 1001 })
      await page.getByTestId('reconnecting').waitFor()
    },
  },
  {
    name: 'uploading',
    server: hanging(() => FakeServer.ofVideo()),
    reach: async (page) => {
      await page.goto(ORIGIN)
      await page.getByTestId('project').waitFor()
      await page.getByTestId('open-file').setInputFiles(fileOf('street.mp4', 'video/mp4'))
      await page.getByText(text.start.uploading('street.mp4')).waitFor()
    },
  },
  {
    name: 'importing',
    server: hanging(trackedVideo),
    reach: async (page) => {
      await open(page)
      await page.getByTestId('object-2').waitFor()
      await page.getByTestId('import-file').setInputFiles(fileOf('masks.zip', 'application/zip'))
      await page.locator('[data-testid=import][aria-busy=true]').waitFor()
    },
  },
  {
    name: 'menu',
    server: trackedVideo,
    reach: async (page) => {
      await open(page)
      await page.getByRole('button', { name: text.objects.menu('Object 1') }).click()
      await page.getByRole('menuitem').first().waitFor()
    },
  },
  {
    name: 'class',
    server: trackedVideo,
    reach: async (page) => {
      await open(page)
      await page.getByRole('button', { name: text.objects.menu('Object 2') }).click()
      await page.getByRole('menuitem', { name: text.objects.changeClass }).click()
      await page.getByLabel(text.objects.classOf('Object 2')).fill('car')
    },
  },
  {
    name: 'coach',
    server: trackedVideo,
    reach: async (page) => {
      await page.addInitScript(() => localStorage.clear())
      await open(page)
      await page.getByTestId('coach').waitFor()
    },
  },
  {
    name: 'review-empty',
    server: () => FakeServer.ofVideo(),
    reach: async (page) => {
      await open(page)
      await page.getByTestId('tab-review').click()
    },
  },
  {
    name: 'brush',
    server: trackedVideo,
    reach: async (page) => {
      await open(page)
      await page.getByTestId('object-2').waitFor()
      await page.getByLabel(text.actions.brush).click()
      await page.getByTestId('canvas').hover({ force: true })
    },
  },
  {
    name: 'span',
    server: trackedVideo,
    reach: async (page) => {
      await open(page)
      const lane = (await page.getByTestId('lane-2').boundingBox())!
      const y = lane.y + lane.height / 2
      await page.mouse.move(lane.x + lane.width * 0.3, y)
      await page.mouse.down()
      await page.mouse.move(lane.x + lane.width * 0.5, y, { steps: 3 })
      await page.mouse.up()
      await page.getByText(text.timeline.clearSpan).waitFor()
    },
  },
  {
    name: 'exported',
    server: trackedVideo,
    reach: async (page) => {
      await open(page)
      await page.getByTestId('object-2').waitFor()
      await page.getByTestId('export').click()
      await page.getByTestId('export-davis').check()
      await page.getByTestId('start-export').click()
      await page.getByTestId('download').waitFor()
    },
  },
  {
    name: 'exporting',
    server: () => Object.assign(trackedVideo(), { exported: {} }),
    reach: async (page) => {
      await open(page)
      await page.getByTestId('object-2').waitFor()
      await page.getByTestId('export').click()
      await page.getByTestId('start-export').click()
      await page.getByText(text.exporting.working).waitFor()
    },
  },
  {
    name: 'disk-full',
    server: trackedVideo,
    reach: async (page, server) => {
      await open(page)
      await page.getByTestId('object-1').waitFor()
      const message = 'The disk of the server is full; nothing was changed.'
      server.refusal = { code: 'disk_full', message }
      await page.getByTestId('crosshair-xy').fill('320, 425')
      await page.getByTestId('crosshair-xy').press('Enter')
      await page.getByText(message).waitFor()
    },
  },
  {
    name: 'signed-out-meanwhile',
    server: trackedVideo,
    reach: async (page, server) => {
      await open(page)
      await page.getByTestId('object-1').waitFor()
      server.signedIn = server.acceptsSockets = false
      await server.socket!.close({ code: 1001 })
      await page.getByText(text.connection.reasons['unauthenticated']!).waitFor()
    },
  },
  {
    name: 'deleted',
    server: trackedVideo,
    reach: async (page, server) => {
      await open(page)
      await page.getByTestId('object-1').waitFor()
      await server.socket!.close({ code: 4409 })
      await page.getByText(text.connection.closed).waitFor()
    },
  },
]
