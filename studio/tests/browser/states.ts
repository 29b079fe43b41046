/** The screens and states of the studio, each set up from nothing; tests walk through all of them. */
import type { Page } from 'playwright-core'
import type { Ellipse } from './packing'
import { FakeServer, ORIGIN } from './fake-server'

export interface State {
  name: string
  server: () => FakeServer
  reach: (page: Page, server: FakeServer) => Promise<void>
}

const WORKSPACE = `${ORIGIN}/#/itm_1`

function trackedVideo(): FakeServer {
  const server = FakeServer.ofVideo()
  server.addObject(
    1,
    [
      { frames: [0, 0], state: 1 },
      { frames: [1, 150], state: 2 },
      { frames: [151, 200], state: 3 },
    ],
    [{ frame: 0, points: [[320, 425, 1]], box: null, mask: null }],
  )
  server.addObject(2, [
    { frames: [20, 110], state: 2 },
    { frames: [111, 130], state: 5 },
    { frames: [131, 245], state: 2 },
  ])
  server.addObject(3, [{ frames: [60, 60], state: 4 }])
  for (let frame = 0; frame < 64; frame++) {
    server.put(frame, { object: 1, x: 300 + frame, y: 400, rx: 120, ry: 80, state: 'tracked' })
    server.put(frame, { object: 2, x: 700 - frame, y: 300, rx: 90, ry: 110, state: 'tracked', score: 0.71 })
  }
  server.stops = [
    { rank: 0, object: 1, frame: 40, score: 0.9, reasons: ['score drop', 'area'], verdict: null },
    { rank: 1, object: 2, frame: 55, score: 0.6, reasons: ['lost'], verdict: null },
    { rank: 2, object: 2, frame: 20, score: 0.3, reasons: ['seam'], verdict: 'ok' },
  ]
  return server
}

function proposals(): FakeServer {
  const server = FakeServer.ofImage()
  server.proposals = Array.from({ length: 24 }, (_, index): Ellipse => {
    const score = 0.99 - index / 60
    return { object: index + 1, x: 90 + 160 * (index % 6), y: 110 + 150 * Math.floor(index / 6), rx: 60, ry: 50, score }
  })
  return server
}

async function open(page: Page): Promise<void> {
  await page.goto(WORKSPACE)
  await page.getByTestId('canvas').waitFor()
}

export const STATES: State[] = [
  {
    name: 'start',
    server: () => FakeServer.ofVideo(),
    reach: async (page) => {
      await page.goto(ORIGIN)
      await page.getByTestId('project').waitFor()
    },
  },
  {
    name: 'start-empty',
    server: () => {
      const server = FakeServer.ofVideo()
      server.projects = []
      return server
    },
    reach: async (page) => {
      await page.goto(ORIGIN)
      await page.getByText('Projects appear here').waitFor()
    },
  },
  {
    name: 'signed-out',
    server: () => {
      const server = FakeServer.ofVideo()
      server.signedIn = false
      return server
    },
    reach: async (page) => {
      await page.goto(ORIGIN)
      await page.getByText('Not signed in').waitFor()
    },
  },
  { name: 'image-empty', server: () => FakeServer.ofImage(), reach: open },
  {
    name: 'image-clicked',
    server: () => FakeServer.ofImage(),
    reach: async (page) => {
      await open(page)
      for (const at of ['320, 425', '420, 460']) {
        await page.getByTestId('crosshair-xy').fill(at)
        await page.getByTestId('crosshair-xy').press('Enter')
        await page
          .getByTestId('marker')
          .nth(at === '320, 425' ? 0 : 1)
          .waitFor()
      }
      await page.getByTestId('candidates').waitFor()
      await page.getByTestId('candidates').click()
      await page.getByTestId('candidate-2').waitFor()
    },
  },
  {
    name: 'video-tracked',
    server: trackedVideo,
    reach: async (page) => {
      await open(page)
      await page.getByTestId('object-2').waitFor()
    },
  },
  {
    name: 'video-tracking',
    server: () => {
      const server = trackedVideo()
      const progress = { done: 31, total: 246, fps: 11.4, eta_s: 19 }
      server.jobs = [
        { id: 'job_1', number: 1, kind: 'track', state: 'running', project: 'prj_1', notes: [], ...progress },
      ]
      return server
    },
    reach: async (page) => {
      await open(page)
      await page.getByTestId('job').waitFor()
    },
  },
  {
    name: 'review',
    server: trackedVideo,
    reach: async (page) => {
      await open(page)
      await page.getByTestId('tab-review').click()
      await page.getByTestId('stop-0').click()
    },
  },
  {
    name: 'everything',
    server: proposals,
    reach: async (page) => {
      await open(page)
      await page.getByTestId('everything').click()
      await page.getByTestId('proposal-3').check()
      await page.getByTestId('proposal-8').check()
    },
  },
  {
    name: 'export',
    server: trackedVideo,
    reach: async (page) => {
      await open(page)
      await page.getByTestId('object-2').waitFor()
      await page.getByTestId('export').click()
      await page.getByTestId('start-export').waitFor()
    },
  },
  {
    name: 'live',
    server: () => FakeServer.ofStream(),
    reach: async (page) => {
      await open(page)
      await page.getByTestId('live-resume').click()
      await page.locator('[data-testid=live][data-fps="12"]').waitFor()
      await page.getByTestId('crosshair-xy').fill('320, 425')
      await page.getByTestId('crosshair-xy').press('Enter')
      await page.getByTestId('object-1').waitFor()
    },
  },
  {
    name: 'live-paused',
    server: () => FakeServer.ofStream(),
    reach: async (page) => {
      await open(page)
      await page.getByTestId('live-resume').waitFor()
    },
  },
  {
    name: 'settings',
    server: trackedVideo,
    reach: async (page) => {
      await open(page)
      await page.getByTestId('settings').click()
      await page.getByText('Change single keys').click()
    },
  },
  {
    name: 'keys',
    server: trackedVideo,
    reach: async (page) => {
      await open(page)
      await page.getByTestId('keys').click()
    },
  },
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
]
