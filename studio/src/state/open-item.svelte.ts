/** The item on screen: what the server says of it, what the person does to it, and what is drawn. */
import { api, type FrameSize } from '../api/client'
import { reasonOfRefusal } from '../api/refusal'
import type { Command, Item, Job, Project, Reply, SegmentedObject, ServerEvent, Span } from '../api/types'
import type { MaskPacket } from '../masks/packets'
import { text } from '../text'
import { GrowingLanes } from '../timeline/growing-lanes'
import { CommandError, Connection, type ConnectionState } from '../wire/connection'
import type { Camera } from './camera'
import { Curves } from './curves.svelte'
import { FrameStore } from './frame-store'
import { isLive, Live } from './live.svelte'
import { MaskExport } from './mask-export.svelte'
import { MaskStore } from './mask-store'
import { notices } from './notices.svelte'
import { Playhead } from './playhead.svelte'
import { Prompting } from './prompting.svelte'
import { Proposals } from './proposals.svelte'
import { Refresher } from './refresher'
import { ReviewQueue } from './review-queue.svelte'

/** Frames are not loaded wider than this, in pixels. */
const WIDEST = 2560
const ROOM_FOR_DRAFTS = 64 * 2 ** 20
const OPEN_JOBS = ['queued', 'running', 'interrupted']

export class OpenItem {
  objects = $state.raw<SegmentedObject[]>([])
  jobs = $state.raw<Job[]>([])
  /** The object that the next prompt is about; 0: a new one. */
  selected = $state(0)
  soloed = $state(0)
  /** Frames selected on the timeline. */
  span = $state.raw<Span>()
  inPoint = $state<number>()
  outPoint = $state<number>()
  direction = $state<'forward' | 'backward' | 'both'>('forward')
  connectionState = $state<ConnectionState>('connecting')
  /** The code of why there is no connection, where that is known. */
  connectionReason = $state<string>()
  waiting = $state(0)
  /** Counts up when masks or frames arrive: what draws reads it. */
  drawn = $state(0)

  readonly masks = new MaskStore()
  /** Exact ones. */
  readonly frames: FrameStore
  /** Small ones of a video, which come sooner. */
  readonly drafts: FrameStore | undefined
  readonly playhead: Playhead
  readonly prompting: Prompting
  readonly proposals: Proposals
  readonly review: ReviewQueue
  readonly curves: Curves
  readonly exporting: MaskExport
  /** Of a stream that goes on. */
  readonly live: Live | undefined

  readonly current = $derived(this.objects.find(({ id }) => id === this.selected))
  readonly job = $derived(this.jobs.find(({ state }) => state === 'running') ?? this.jobs[0])
  readonly frameCount: number
  readonly width: number
  readonly height: number

  private readonly connection: Connection
  private readonly objectsRefresher = new Refresher(() => this.loadObjects())
  private readonly lanes = new GrowingLanes((grown) => (this.objects = this.objects.map(grown)))

  constructor(
    readonly item: Item,
    readonly project: Project,
    camera?: Camera,
    /** Called when the item is another one by now: a stream that became a video. */
    readonly changed: () => void = () => {},
  ) {
    this.width = item.width ?? 1
    this.height = item.height ?? 1
    this.frameCount = item.frames ?? 1
    const size: FrameSize = this.width > WIDEST ? { width: WIDEST } : {}
    this.frames = this.framesOf(size)
    this.drafts = this.isVideo ? this.framesOf({ draft: true }, ROOM_FOR_DRAFTS) : undefined
    this.playhead = new Playhead(this)
    this.prompting = new Prompting(this)
    this.proposals = new Proposals(this)
    this.review = new ReviewQueue(this)
    this.curves = new Curves(item.id)
    this.exporting = new MaskExport(item)
    this.live = isLive(item) ? new Live(this, camera) : undefined
    this.connection = new Connection(api.socketUrl(item.id), {
      opened: (hello) => this.opened(hello),
      stateChanged: (state, reason) => {
        this.connectionState = state
        this.connectionReason = reason
      },
      refused: () => reasonOfRefusal(item.id),
      event: (event) => this.heard(event),
      packet: (packet) => this.received(packet),
    })
    if (!this.live) this.playhead.seek(0)
  }

  /** The stretch between in and out point, where both are set. */
  get inOut(): Span | undefined {
    return this.inPoint === undefined || this.outPoint === undefined ? undefined : [this.inPoint, this.outPoint]
  }

  get isVideo(): boolean {
    return this.frameCount > 1
  }

  /** What can be shown of a frame by now. */
  bitmap(frame: number): ImageBitmap | undefined {
    return this.frames.get(frame) ?? this.drafts?.get(frame)
  }

  nameOf(object: number): string {
    return this.objects.find(({ id }) => id === object)?.name ?? text.objects.name(object)
  }

  isShown(object: SegmentedObject): boolean {
    return this.soloed ? object.id === this.soloed : !object.hidden
  }

  select(object: number): void {
    this.selected = object
    this.prompting.selectionChanged()
    if (object) notices.say(text.status.selected(this.nameOf(object)))
  }

  /** Send a command; a refusal is shown, and nothing is returned. */
  async command(command: Command): Promise<Reply | undefined> {
    const { reply } = this.connection.send(command)
    return this.settled(reply)
  }

  fleeting(command: Command): number {
    return this.connection.sendFleeting(command)
  }

  /** Send a frame of the camera; false while there is no connection. */
  sendFrame(message: ArrayBuffer): boolean {
    return this.connection.sendBinary(message)
  }

  reconnectNow(): void {
    this.connection.reconnectNow()
  }

  async undo(): Promise<void> {
    const reply = await this.command({ do: 'undo' })
    if (reply) notices.say([text.status.undone, ...(reply.notes ?? [])].join('; '))
  }

  async redo(): Promise<void> {
    if (await this.command({ do: 'redo' })) notices.say(text.status.redone)
  }

  async track(objects: 'changed' | 'all'): Promise<void> {
    const reply = await this.command({ do: 'track', objects, direction: this.direction, frames: this.inOut })
    if (!reply?.job) return
    this.noteJob(reply.job)
    this.playhead.followTracking()
  }

  async cancelJob(): Promise<void> {
    if (this.job) await this.command({ do: 'cancel', job: this.job.id })
  }

  async edit(object: number, change: Partial<SegmentedObject>): Promise<void> {
    this.objects = this.objects.map((other) => (other.id === object ? { ...other, ...change } : other))
    await this.command({ do: 'object', object, ...change })
  }

  async editSelected(change: (object: SegmentedObject) => Partial<SegmentedObject>): Promise<void> {
    if (this.current) await this.edit(this.current.id, change(this.current))
  }

  /** Mark the selected object as absent on the selected span or this frame; where it is marked already, take it back. */
  async markAbsent(): Promise<void> {
    if (!this.current) return
    const [first, last] = this.span ?? [this.playhead.frame, this.playhead.frame]
    const value = !this.current.ranges.some(([from, to]) => from <= first && last <= to)
    await this.command({ do: 'absent', object: this.current.id, frames: [[first, last]], value })
    this.span = undefined
  }

  /** Forget the selected object's prompts on the frames of the span. */
  async clearSpan(): Promise<void> {
    const { current: object, span } = this
    if (!object || !span) return
    this.span = undefined
    const frames = object.prompts.map(({ frame }) => frame).filter((frame) => span[0] <= frame && frame <= span[1])
    await Promise.all(frames.map((frame) => this.command({ do: 'clear', object: object.id, frame })))
  }

  saySaved(): void {
    notices.say(text.status.saved)
  }

  refreshObjects(): Promise<void> {
    return this.objectsRefresher.refresh()
  }

  /** Bring the masks around a frame, if they are not here. */
  async loadMasks(frame: number): Promise<void> {
    const stretch = !this.live && this.masks.missing(frame, this.frameCount)
    if (!stretch) return
    try {
      this.masks.replace(stretch, await api.masks(this.item.id, stretch.first, stretch.last))
      this.drawn++
    } catch (error) {
      this.masks.outdated(stretch.first, stretch.last)
      notices.report(error)
    }
  }

  close(): void {
    this.playhead.close()
    this.live?.stop()
    this.connection.close()
    this.frames.close()
    this.drafts?.close()
  }

  private framesOf(size: FrameSize, room?: number): FrameStore {
    const load = (frame: number, signal: AbortSignal) => api.frame(this.item.id, frame, signal, size)
    return new FrameStore(
      load,
      () => this.drawn++,
      (_, error) => notices.report(error),
      room,
    )
  }

  private async settled(reply: Promise<Reply>): Promise<Reply | undefined> {
    this.waiting = this.connection.waitingCount
    try {
      const answer = await reply
      if (answer.revision) await this.refreshObjects()
      return answer
    } catch (error) {
      if (error instanceof CommandError && error.code === 'unconfirmed') await this.refreshObjects()
      notices.report(error)
      return undefined
    } finally {
      this.waiting = this.connection.waitingCount
    }
  }

  private async loadObjects(): Promise<void> {
    try {
      const { objects } = await api.objects(this.item.id)
      this.objects = objects
      if (this.selected && !objects.some(({ id }) => id === this.selected)) this.selected = 0
    } catch (error) {
      notices.report(error)
    }
  }

  private opened(hello: Reply): void {
    this.live?.greeted(hello.frame ?? 0)
    this.jobs = (hello.jobs ?? []).filter(({ state }) => OPEN_JOBS.includes(state))
    this.masks.outdated()
    void this.loadMasks(this.playhead.frame)
    void this.refreshObjects().then(() => {
      if (!this.selected && this.objects.length) this.selected = this.objects[0]!.id
    })
    this.curves.outdated()
    void this.review.refresh()
    this.playhead.look()
  }

  private heard(event: ServerEvent): void {
    if (event.job) this.noteJob(event.job)
    if (event.live) this.live?.told(event.live)
    if (event.item && this.live) this.changed()
    if (event.ev === 'objects') void this.refreshObjects()
    if (event.ev === 'masks') this.masksChanged(event.frames ?? [[0, this.frameCount - 1]])
  }

  private masksChanged(stretches: Span[]): void {
    for (const [first, last] of stretches) this.masks.outdated(first, last)
    void this.loadMasks(this.playhead.frame)
    void this.refreshObjects()
    this.curves.outdated()
    this.review.refreshSoon()
  }

  private received(packet: MaskPacket): void {
    if (packet.kind === 'preview' || packet.kind === 'candidates') return this.prompting.received(packet)
    if (packet.kind === 'everything') return this.proposals.received(packet)
    for (const mask of packet.masks) this.masks.put(packet.frame, mask)
    if (packet.kind === 'answer') this.prompting.received(packet)
    else this.lanes.note(packet)
    if (packet.kind === 'track') this.live?.answered(packet.frame)
    if (packet.kind === 'track' && packet.masks.length) this.playhead.tracked(packet.frame)
    this.drawn++
  }

  private noteJob(job: Job): void {
    const others = this.jobs.filter(({ id }) => id !== job.id)
    this.jobs = OPEN_JOBS.includes(job.state) ? [...others, job] : others
    if (job.state === 'running') {
      if (job.kind === 'track') notices.say(text.status.tracking(job.done, job.total))
      return
    }
    if (job.state === 'failed' && job.error) notices.report(new CommandError('job_failed', job.error))
    if (job.kind === 'track' && job.state !== 'queued') void this.tracked()
    this.proposals.noteJob(job)
  }

  private async tracked(): Promise<void> {
    this.playhead.stopFollowing()
    this.curves.outdated()
    await Promise.all([this.refreshObjects(), this.review.refresh()])
    notices.say(text.status.tracked(this.review.open.length))
  }
}
