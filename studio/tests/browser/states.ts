/** The screens and states of the studio; tests walk through all of them. */
import { FakeServer, jobOf, ORIGIN } from './fake-server'
import { MOMENTS } from './moments'
import { open, proposals, type State, trackedVideo } from './setups'

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
      server.jobs = [jobOf('track')]
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
  ...MOMENTS,
]
