/** The messages of the server, as the studio reads and writes them. */

export type Span = [first: number, last: number]
/** x, y in pixels of the frame; 1 includes, 0 excludes. */
export type PromptPoint = [x: number, y: number, label: number]
export type Box = [left: number, top: number, right: number, bottom: number]
export type RunLengths = { size: [height: number, width: number]; counts: string }

export interface Info {
  version: string
  model: { name: string; image_size: number; device: string; dtype: string; preset: string }
  limits: Record<string, number>
  features: string[]
  user: string
}

export interface ObjectClass {
  name: string
  colour: string
}

export interface Item {
  id: string
  project: string
  kind: 'image' | 'images' | 'video' | 'stream'
  name: string
  width: number | null
  height: number | null
  /** null: a stream, which has no end yet. */
  frames: number | null
  fps: number | null
  status: 'importing' | 'ready' | 'failed'
  error?: string | null
  revision: number
  seq: number
}

export interface Project {
  id: string
  name: string
  classes: ObjectClass[]
  items: Item[]
  revision: number
  created: number
}

export interface FramePrompt {
  frame: number
  points: PromptPoint[]
  box: Box | null
  mask: RunLengths | null
}

/** Neighbouring frames in one state, `frames` being the first and the last. */
export interface StateSpan {
  frames: Span
  state: number
}

export interface SegmentedObject {
  id: number
  name: string
  class: string | null
  colour: string
  hidden: boolean
  locked: boolean
  order: number
  prompts: FramePrompt[]
  ranges: Span[]
  states: StateSpan[]
}

export interface ObjectStats {
  object: number
  states: StateSpan[]
  frames: number[]
  score: number[]
  presence: number[]
  area: number[]
  run: number[]
}

export interface Job {
  id: string
  number: number
  kind: 'import' | 'track' | 'everything' | 'export'
  state: 'queued' | 'running' | 'done' | 'cancelled' | 'interrupted' | 'failed'
  project: string
  item?: string | null
  done: number
  total: number
  fps?: number | null
  eta_s?: number | null
  error?: string | null
  notes: string[]
  result?: Record<string, unknown> | null
}

export interface ReviewStop {
  rank: number
  object: number
  frame: number
  score: number
  reasons: string[]
  verdict?: 'ok' | 'flag' | null
}

export interface Review {
  stops: ReviewStop[]
  looked_at: number
}

export type Command = { do: string } & Record<string, unknown>

export interface Reply {
  re: number
  ok: boolean
  error?: { code: string; message: string; field?: string | null } | null
  revision?: number | null
  seq?: number | null
  item?: Item | null
  jobs?: Job[] | null
  job?: Job | null
  object?: number | null
  objects?: number[] | null
  stale?: { object: number; frames: Span[] }[] | null
  resync?: boolean | null
  frame?: number | null
}

export interface ServerEvent {
  ev: 'job' | 'objects' | 'masks' | 'item' | 'everything' | 'live' | 'deleted'
  seq: number
  job?: Job | null
  item?: Item | null
  revision?: number | null
  objects?: number[] | null
  frames?: Span[] | null
}
