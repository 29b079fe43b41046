/** Chromium for the tests: the one of Debian, or the one that CHROMIUM names. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PLACES = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** A camera that shows a test card, which asks nobody, and which pages of the server in memory may use, too. */
const CAMERA = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--unsafely-treat-insecure-origin-as-secure=http://studio.test',
]

export async function launch(): Promise<Browser> {
  const executablePath = PLACES.find((place) => place && existsSync(place))
  if (!executablePath) throw new Error('These tests need Chromium: apt-get install chromium, or set CHROMIUM.')
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', ...CAMERA] })
}
