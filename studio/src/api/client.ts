/** The HTTP interface: JSON in and out, and every refusal as an `ApiError` with the server's words. */
import { type MaskPacket, readCountedPackets } from '../masks/packets'
import type {
  Info,
  Item,
  Job,
  NewExport,
  NewImport,
  NewStream,
  ObjectStats,
  Project,
  Review,
  SegmentedObject,
} from './types'

export class ApiError extends Error {
  override name = 'ApiError'
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

const ROOT = '/api/v1/'
/** Needed beside the cookie for everything that changes something. */
const OWN_HEADER = { 'X-Masklet': '1' }

/** 128 random bits. `crypto.randomUUID` is missing where a page came over plain HTTP from another machine. */
function idempotencyKey(): string {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((word) => word.toString(36)).join('-')
}

export async function request(path: string, options: RequestInit = {}): Promise<Response> {
  const response = await fetch(ROOT + path, { ...options, headers: { ...OWN_HEADER, ...options.headers } }).catch(
    (reason: unknown) => {
      if (options.signal?.aborted) throw reason
      throw new ApiError(0, 'network', String(reason))
    },
  )
  if (!response.ok) throw await errorOf(response)
  return response
}

async function errorOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string; title?: string }
  const message = problem.detail ?? problem.title ?? response.statusText
  return new ApiError(response.status, problem.code ?? String(response.status), message)
}

async function get<T>(path: string): Promise<T> {
  return (await (await request(path)).json()) as T
}

async function send<T>(method: string, path: string, body: unknown): Promise<T> {
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey() }
  const response = await request(path, { method, headers, body: JSON.stringify(body) })
  return (response.status === 204 ? undefined : await response.json()) as T
}

async function packets(path: string): Promise<MaskPacket[]> {
  const response = await request(path, { headers: { Accept: 'application/vnd.masklet.masks' } })
  return readCountedPackets(await response.arrayBuffer())
}

/** Of a frame that is loaded: exact, or a draft, which is small and comes sooner. */
export interface FrameSize {
  width?: number
  draft?: boolean
}

function framePath(item: string, frame: number, { width, draft }: FrameSize): string {
  return `items/${item}/frames/${frame}?type=jpeg${width ? `&width=${width}` : ''}${draft ? '&draft=true' : ''}`
}

export const api = {
  info: () => get<Info>('info'),
  login: (token: string) => send<void>('POST', 'login', { token }),
  async projects(): Promise<Project[]> {
    const found: Project[] = []
    for (let after = ''; ; ) {
      const page = await get<{ projects: Project[]; next?: string | null }>(`projects?limit=500${after}`)
      found.push(...page.projects)
      if (!page.next) return found
      after = `&after=${page.next}`
    }
  },
  project: (project: string) => get<Project>(`projects/${project}`),
  createProject: (name: string) => send<Project>('POST', 'projects', { name }),
  createStream: (project: string, live: NewStream) => send<Item>('POST', `projects/${project}/items`, { live }),
  deleteProject: (project: string) => request(`projects/${project}`, { method: 'DELETE' }),
  item: (item: string) => get<Item>(`items/${item}`),
  objects: (item: string) => get<{ objects: SegmentedObject[]; revision: number }>(`items/${item}/objects`),
  stats: async (item: string, objects: number[]) =>
    (await get<{ objects: ObjectStats[] }>(`items/${item}/stats?objects=${objects.join(',')}`)).objects,
  review: (item: string) => get<Review>(`items/${item}/review`),
  jobs: async (state?: string) => (await get<{ jobs: Job[] }>(state ? `jobs?state=${state}` : 'jobs')).jobs,
  job: (job: string, wait = 0) => get<Job>(`jobs/${job}?wait=${wait}`),
  cancelJob: (job: string) => request(`jobs/${job}`, { method: 'DELETE' }),
  export: (project: string, what: NewExport) => send<Job>('POST', `projects/${project}/exports`, what),
  importMasks: (project: string, what: NewImport) => send<Job>('POST', `projects/${project}/imports`, what),
  exportUrl: (name: string) => `${ROOT}exports/${name}`,
  masks: (item: string, first: number, last: number) => packets(`items/${item}/masks?frames=${first}-${last}`),
  proposals: (item: string, frame: number) => packets(`items/${item}/proposals?frame=${frame}`),
  frameUrl: (item: string, frame: number, size: FrameSize) => ROOT + framePath(item, frame, size),
  frame: async (item: string, frame: number, signal: AbortSignal, size: FrameSize) =>
    (await request(framePath(item, frame, size), { signal })).blob(),
  filmstripUrl: (item: string, count: number, height: number) =>
    `${ROOT}items/${item}/filmstrip?count=${count}&height=${height}`,
  socketUrl: (item: string) => `${location.origin.replace(/^http/, 'ws')}${ROOT}items/${item}/ws`,
}
