/** The server's side of the protocol in memory: states that a real one is in for moments only, at any size. */
import { readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { BrowserContext, Route, WebSocketRoute } from 'playwright-core'
import type {
  Box,
  FramePrompt,
  Item,
  Job,
  Project,
  PromptPoint,
  ReviewStop,
  SegmentedObject,
} from '../../src/api/types'
import type { PacketKind } from '../../src/masks/packets'
import { type Ellipse, packet } from './packing'

const STATIC = join(import.meta.dirname, '../../../src/masklet/server/static')
const ASSETS = join(import.meta.dirname, '../../../assets')
const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}
const FORMATS = ['masklet', 'coco', 'davis', 'yolo', 'masks', 'overlay', 'a-new-one']
export const ORIGIN = 'http://studio.test'
export const CONTENT_SECURITY_POLICY =
  "default-src 'self'; img-src 'self' blob: data:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const PALETTE = ['#56b4e9', '#e69f00', '#009e73', '#f0e442', '#0072b2', '#d55e00', '#cc79a7']

interface Message {
  n: number
  do: string
  object: number
  frame: number
  points?: PromptPoint[]
  box?: Box | null
  keep?: boolean
  verdict?: 'ok' | 'flag'
}

export class FakeServer {
  signedIn = true
  objects: SegmentedObject[] = []
  stops: ReviewStop[] = []
  jobs: Job[] = []
  projects: Project[] = []
  proposals: Ellipse[] = []
  /** Proposals of an earlier visit, open still. */
  kept: Ellipse[] = []
  commands: string[] = []
  /** Sockets that are open now. */
  sockets = 0
  /** Refuse the next command with these words. */
  refusal: { code: string; message: string } | undefined
  socket: WebSocketRoute | undefined
  acceptsSockets = true
  /** Uploads stop after their first bytes. */
  uploadsHang = false
  /** What exports end with. */
  exported: Partial<Job> = { state: 'done', result: { export: 'exp_1.zip', losses: { 'masks lose their score': 408 } } }
  /** Answers to prompts wait until this is settled. */
  answersAfter: Promise<unknown> = Promise.resolve()
  private ellipses = new Map<string, Ellipse>()
  private sequence = 0

  constructor(
    readonly item: Item,
    readonly origin = ORIGIN,
  ) {
    this.projects = [{ id: 'prj_1', name: item.name, classes: [], items: [item], revision: 1, created: 1 }]
  }

  static ofVideo(frames = 246): FakeServer {
    return new FakeServer(itemOf({ kind: 'video', name: 'street.mp4', frames, fps: 25 }))
  }

  static ofImage(size = { width: 1024, height: 683 }, origin = ORIGIN): FakeServer {
    return new FakeServer({ ...itemOf({ kind: 'image', name: 'truck.jpg', frames: 1, fps: null }), ...size }, origin)
  }

  static ofStream(): FakeServer {
    return new FakeServer(itemOf({ kind: 'stream', name: 'Camera', frames: null, fps: null }))
  }

  async serve(context: BrowserContext): Promise<void> {
    await context.route('**/*', (route) => this.answer(route))
    await context.routeWebSocket(/\/ws$/, (socket) => this.connected(socket))
  }

  addObject(id: number, states: SegmentedObject['states'] = [], prompts: FramePrompt[] = []): void {
    const colour = PALETTE[(id - 1) % PALETTE.length]!
    const looks = { class: null, colour, hidden: false, locked: false, order: id }
    this.objects.push({ id, name: `Object ${id}`, ...looks, prompts, ranges: [], states })
  }

  put(frame: number, ellipse: Ellipse): void {
    this.ellipses.set(`${frame} ${ellipse.object}`, ellipse)
  }

  say(event: object): void {
    this.socket?.send(JSON.stringify({ seq: ++this.sequence, ...event }))
  }

  send(kind: 'answer' | 'track' | 'everything' | 'candidates', frame: number, masks: Ellipse[], command = 0): void {
    const { width, height } = this.item
    this.socket?.send(packet({ kind, frame, width: width!, height: height!, command, last: true }, masks))
  }

  private async answer(route: Route): Promise<void> {
    const url = new URL(route.request().url())
    if (url.origin !== this.origin) return route.abort()
    if (!url.pathname.startsWith('/api/v1/')) return this.page(route, url.pathname)
    const path = url.pathname.slice('/api/v1/'.length)
    if (!this.signedIn) return route.fulfill({ status: 401, json: { code: 'unauthenticated', detail: 'No token.' } })
    const frames = /frames=(\d+)-(\d+)/.exec(url.search)
    if (path.includes('/frames/') || path.includes('/filmstrip'))
      return route.fulfill({ path: join(ASSETS, 'truck.jpg'), contentType: 'image/jpeg' })
    if (path.endsWith('/masks')) return route.fulfill({ body: this.masks(Number(frames![1]), Number(frames![2])) })
    if (path.endsWith('/proposals')) return route.fulfill({ body: this.openProposals() })
    if (path.startsWith('uploads/') && this.uploadsHang) return
    const isNew = route.request().method() === 'POST'
    const json = isNew ? this.made(path) : this.json(path, url.searchParams)
    return json ? route.fulfill({ json }) : route.fulfill({ status: 404, json: { detail: 'Not found.' } })
  }

  private page(route: Route, path: string): Promise<void> {
    const file = path === '/' ? '/index.html' : path
    const headers = { 'Content-Security-Policy': CONTENT_SECURITY_POLICY }
    const contentType = TYPES[extname(file)] ?? 'application/octet-stream'
    try {
      return route.fulfill({ body: readFileSync(join(STATIC, file)), headers, contentType })
    } catch {
      return route.fulfill({ status: 404 })
    }
  }

  /** Answers to POST. */
  private made(path: string): object | undefined {
    if (path === 'login' || path === 'logout') return {}
    if (path === 'projects') return this.projects[0]
    if (path.endsWith('/uploads')) return { upload: 'upl_1', offset: 4, part_size: 2 ** 23 }
    if (path.endsWith('/exports')) return { ...jobOf('export'), ...this.exported }
    return undefined
  }

  private json(path: string, query: URLSearchParams): object | undefined {
    const model = { name: 'bundled', image_size: 384, device: 'cpu', dtype: 'float32', preset: 'exact' }
    if (path === 'info')
      return {
        version: '0.2',
        model,
        limits: {},
        features: ['everything', 'live', ...FORMATS.map((name) => `export:${name}`)],
        user: 'local',
      }
    if (path === 'projects') return { projects: this.projects }
    if (path.startsWith('projects/')) return this.projects[0]
    if (path === 'jobs') return { jobs: this.jobs }
    if (path.startsWith('jobs/')) return { ...jobOf('export'), ...this.exported }
    if (path.endsWith('/objects')) return { objects: this.objects, revision: 1 }
    if (path.endsWith('/stats')) {
      const wanted = query.get('objects')!.split(',').map(Number)
      return { objects: this.objects.filter(({ id }) => wanted.includes(id)).map(statsOf) }
    }
    if (path.endsWith('/review'))
      return { stops: this.stops, looked_at: this.stops.filter(({ verdict }) => verdict === 'ok').length }
    return path === `items/${this.item.id}` ? this.item : undefined
  }

  private masks(first: number, last: number): Buffer {
    const packets: Buffer[] = []
    for (let frame = first; frame <= last; frame++) {
      const found = [...this.ellipses].filter(([key]) => key.startsWith(`${frame} `)).map(([, ellipse]) => ellipse)
      if (found.length) packets.push(this.counted('track', frame, found))
    }
    return Buffer.concat(packets)
  }

  private openProposals(): Buffer {
    return this.kept.length ? this.counted('everything', 0, this.kept) : Buffer.alloc(0)
  }

  private counted(kind: PacketKind, frame: number, found: Ellipse[]): Buffer {
    const body = packet({ kind, frame, width: this.item.width!, height: this.item.height! }, found)
    const size = Buffer.alloc(4)
    size.writeUInt32LE(body.length)
    return Buffer.concat([size, body])
  }

  private connected(socket: WebSocketRoute): void {
    if (!this.acceptsSockets) return void socket.close({ code: 1001 })
    this.socket = socket
    this.sockets++
    socket.onClose(() => this.sockets--)
    socket.onMessage((data) =>
      typeof data === 'string' ? this.obey(JSON.parse(data) as Message) : this.filmed(data.readUInt32LE(4)),
    )
  }

  /** A frame of a camera came. */
  private filmed(frame: number): void {
    const masks = this.objects.map(({ id }): Ellipse => ({ object: id, x: 300, y: 300, rx: 90, ry: 60 }))
    this.send('track', frame, masks)
    this.say({ ev: 'live', live: { fps_in: 14, fps_out: 12, dropped: 2, latency_ms: { p50: 61.5, p95: 80 } } })
  }

  private obey(message: Message): void {
    const { n, do: verb } = message
    this.commands.push(verb)
    const reply = (fields: object) => this.socket?.send(JSON.stringify({ re: n, ok: true, ...fields }))
    if (this.refusal) return void reply({ ok: false, error: this.refusal })
    if (verb === 'hello') return void reply({ item: this.item, seq: this.sequence, jobs: this.jobs })
    if (verb === 'look' || verb === 'preview') return
    if (verb === 'prompt') return void this.answersAfter.then(() => reply(this.prompted(message)))
    if (verb === 'object') this.edited(message)
    if (verb === 'everything') this.send('everything', message.frame, this.proposals)
    if (verb === 'candidates') this.send('candidates', message.frame, candidatesOf(message.object), n)
    if (verb === 'review') this.judged(message)
    reply({ revision: 2, object: message.object || this.objects.at(-1)?.id })
  }

  private edited({ n: _, do: __, ...change }: Message): void {
    const { object, ...fields } = change
    this.objects = this.objects.map((other) => (other.id === object ? { ...other, ...fields } : other))
  }

  private prompted({ n, object, frame, points, box = null, keep }: Message): object {
    if (!object) this.addObject(1 + Math.max(0, ...this.objects.map(({ id }) => id)))
    const target = this.objects.find(({ id }) => id === object) ?? this.objects.at(-1)!
    const before = target.prompts.find((prompt) => prompt.frame === frame)?.points ?? []
    const kept = keep ? before : []
    const prompt: FramePrompt = { frame, points: [...kept, ...(points ?? [])], box, mask: null }
    target.prompts = [...target.prompts.filter((other) => other.frame !== frame), prompt]
    const [x, y] = prompt.points[0] ?? [300, 300]
    const size = 90 - 12 * prompt.points.length
    const ellipse = { object: target.id, x, y, rx: 1.4 * size, ry: size }
    this.put(frame, ellipse)
    this.send('answer', frame, [ellipse], n)
    return { revision: 2, object: target.id }
  }

  private judged({ object, frame, verdict }: Message): void {
    this.stops = this.stops.map((stop) =>
      stop.object === object && stop.frame === frame ? { ...stop, verdict } : stop,
    )
  }
}

export function jobOf(kind: Job['kind']): Job {
  const progress = { done: 31, total: 246, fps: 11.4, eta_s: 19 }
  return { id: 'job_1', number: 1, kind, state: 'running', project: 'prj_1', notes: [], ...progress }
}

function itemOf(fields: Pick<Item, 'kind' | 'name' | 'frames' | 'fps'>): Item {
  const size = { width: 1024, height: 683 }
  const rest = { status: 'ready', sha256: null, revision: 1, seq: 0, retention: 'spill' } as const
  return { id: 'itm_1', project: 'prj_1', ...size, ...fields, ...rest }
}

function statsOf({ id, states }: SegmentedObject): object {
  const frames = states
    .slice(0, 10)
    .flatMap(({ frames: [first, last] }) => Array.from({ length: last - first + 1 }, (_, index) => first + index))
  const score = frames.map((frame) => 0.85 + 0.1 * Math.sin(frame / 9 + id) - (frame % 97 === 40 ? 0.5 : 0))
  const presence = frames.map((frame) => (frame % 97 > 90 ? -1 : 5))
  return { object: id, states, frames, score, presence, area: frames.map(() => 1000), run: frames.map(() => 1) }
}

function candidatesOf(object: number): Ellipse[] {
  return [0, 1, 2].map((candidate) => {
    const size = 40 * (candidate + 1)
    return { object, x: 320, y: 380, rx: 1.3 * size, ry: size, score: 0.9 - 0.13 * candidate, candidate }
  })
}
