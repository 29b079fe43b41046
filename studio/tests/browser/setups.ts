/** How the states of the studio are set up from nothing. */
import type { Page } from 'playwright-core'
import type { Ellipse } from './packing'
import { FakeServer, ORIGIN } from './fake-server'

export interface State {
  name: string
  server: () => FakeServer
  reach: (page: Page, server: FakeServer) => Promise<void>
}

const WORKSPACE = `${ORIGIN}/#/itm_1`

export function trackedVideo(): FakeServer {
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

export function proposals(): FakeServer {
  const server = FakeServer.ofImage()
  server.proposals = Array.from({ length: 24 }, (_, index): Ellipse => {
    const score = 0.99 - index / 60
    return { object: index + 1, x: 90 + 160 * (index % 6), y: 110 + 150 * Math.floor(index / 6), rx: 60, ry: 50, score }
  })
  return server
}

export function hanging(make: () => FakeServer): () => FakeServer {
  return () => Object.assign(make(), { uploadsHang: true })
}

export function fileOf(name: string, mimeType: string) {
  return { name, mimeType, buffer: Buffer.from('0123456789') }
}

export async function open(page: Page): Promise<void> {
  await page.goto(WORKSPACE)
  await page.getByTestId('canvas').waitFor()
}
