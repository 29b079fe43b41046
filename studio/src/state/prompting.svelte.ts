/** What the person adds to an object on the frame: shown at once, sent in order, kept until the server has it. */
import type { Box, PromptPoint, Reply, RunLengths } from '../api/types'
import type { MaskPacket } from '../masks/packets'
import { text } from '../text'
import { type DrawnMask, drawnMask } from './mask-store'
import { notices } from './notices.svelte'
import type { OpenItem } from './open-item.svelte'

export type Tool = 'smart' | 'box' | 'brush' | 'eraser'

interface PendingPrompt {
  frame: number
  object: number
  points: PromptPoint[]
  box: Box | null
}

/** What the markers show of an object on a frame. */
interface ShownPrompt {
  points: PromptPoint[]
  box: Box | null
}

interface Preview {
  frame: number
  x: number
  y: number
  number: number
  mask?: DrawnMask
}

/** A click this near to a preview, in frame pixels, takes its mask until the answer is there. */
const PROMOTED_WITHIN = 3

export class Prompting {
  tool = $state<Tool>('smart')
  including = $state(true)
  brushSize = $state(24)
  pending = $state.raw<PendingPrompt[]>([])
  preview = $state.raw<Preview>()
  candidates = $state.raw<DrawnMask[]>([])
  /** The last prompt sent on this frame, where the candidates are offered. */
  lastClick = $state.raw<{ x: number; y: number }>()
  /** The prompt that makes an object, while the next prompt is about that object, too. */
  private creating: Promise<Reply | undefined> | undefined

  constructor(private readonly open: OpenItem) {}

  /** Points, box of the selected object on this frame, with what the server has not acknowledged. */
  shown(): ShownPrompt {
    const { frame } = this.open.playhead
    const kept = this.open.current?.prompts.find((prompt) => prompt.frame === frame)
    const pending = this.pending.filter(
      (prompt) => prompt.frame === frame && (prompt.object === this.open.selected || prompt.object === 0),
    )
    const points = (kept?.points ?? []).map(([x, y, label]): PromptPoint => [x, y, label ? 1 : 0])
    return {
      points: [...points, ...pending.flatMap((prompt) => prompt.points)],
      box: pending.findLast(({ box }) => box)?.box ?? kept?.box ?? null,
    }
  }

  async addPoint(x: number, y: number, label: 0 | 1): Promise<void> {
    this.promotePreview(x, y)
    this.lastClick = { x, y }
    await this.add({ points: [[x, y, label]], box: null, keep: true })
  }

  async addBox(box: Box): Promise<void> {
    this.lastClick = { x: box[2], y: box[1] }
    await this.add({ points: [], box, keep: false })
  }

  /** Put other points in the place of those on this frame; none: the prompts are removed. */
  async replacePoints(points: PromptPoint[]): Promise<void> {
    const { selected: object } = this.open
    const { frame } = this.open.playhead
    const { box } = this.shown()
    if (points.length || box)
      await this.open.command({ do: 'prompt', object, frame, points, box, mask: null, keep: false })
    else await this.removePrompts()
  }

  async removePrompts(): Promise<void> {
    this.forgetCandidates()
    if (!this.open.selected) return
    await this.open.command({ do: 'clear', object: this.open.selected, frame: this.open.playhead.frame })
  }

  async paint(stroke: RunLengths): Promise<void> {
    const { frame } = this.open.playhead
    const part = this.tool === 'eraser' ? { sub: stroke } : { add: stroke }
    const object = await this.target()
    if (!object) return this.add({ points: [], box: null, mask: stroke, keep: false })
    await this.open.command({ do: 'paint', object, frame, ...part })
  }

  hover(x: number, y: number): void {
    const { frame } = this.open.playhead
    const object = this.open.selected || undefined
    const number = this.open.fleeting({ do: 'preview', frame, x, y, ...(object && { object }) })
    this.preview = { ...this.preview, frame, x, y, number }
  }

  forgetPreview(): void {
    if (this.preview) this.preview = undefined
  }

  async showCandidates(): Promise<void> {
    if (this.candidates.length) return this.forgetCandidates()
    if (!this.open.selected) return
    await this.open.command({ do: 'candidates', object: this.open.selected, frame: this.open.playhead.frame })
  }

  async choose(candidate: number): Promise<void> {
    const { selected: object } = this.open
    this.forgetCandidates()
    await this.open.command({ do: 'choose', object, frame: this.open.playhead.frame, candidate })
  }

  forgetCandidates(): void {
    this.candidates = []
  }

  frameChanged(): void {
    this.forgetCandidates()
    this.forgetPreview()
    this.lastClick = undefined
  }

  received(packet: MaskPacket): void {
    if (packet.kind === 'candidates') this.candidates = packet.masks.map(drawnMask)
    if (packet.kind === 'preview' && packet.command === this.preview?.number) {
      const [mask] = packet.masks
      this.preview = { ...this.preview, ...(mask && { mask: drawnMask(mask) }) }
    }
    if (packet.kind === 'answer') this.forgetPreview()
  }

  selectionChanged(): void {
    this.forgetCandidates()
    this.creating = undefined
  }

  private async add(prompt: ShownPrompt & { mask?: RunLengths; keep: boolean }): Promise<void> {
    this.forgetCandidates()
    const { frame } = this.open.playhead
    this.open.playhead.stay()
    const shown: PendingPrompt = { frame, object: this.open.selected, points: prompt.points, box: prompt.box }
    this.pending = [...this.pending, shown]
    const object = await this.target()
    if (object && this.open.current?.locked) notices.report(new Error(text.errors.locked(this.open.nameOf(object))))
    else {
      const reply = this.open.command({ mask: null, ...prompt, do: 'prompt', object, frame })
      if (!object) this.creating = reply
      const answer = await reply
      this.created(reply, answer)
      if (answer) this.announce(answer.object ?? object, frame)
    }
    this.pending = this.pending.filter((other) => other !== shown)
  }

  /** The object that a prompt of this moment is about. A new one's number is the server's: the next click waits for it. */
  private async target(): Promise<number> {
    return this.open.selected || (await this.creating)?.object || 0
  }

  /** Select the new object, unless the person chose another meanwhile, or began one more. */
  private created(reply: Promise<Reply | undefined>, answer: Reply | undefined): void {
    if (this.creating !== reply) return
    this.creating = undefined
    if (answer?.object) this.open.selected = answer.object
  }

  private announce(object: number, frame: number): void {
    const mask = this.open.masks.find(frame, object)
    if (!mask) return
    const share = text.percent(mask.area / (this.open.width * this.open.height))
    notices.say(text.status.answer(this.open.nameOf(object), frame, share, text.objects.score(mask.score)))
  }

  /** The answer under the pointer stands in for the click's until that arrives. */
  private promotePreview(x: number, y: number): void {
    const { preview } = this
    if (!preview?.mask || preview.frame !== this.open.playhead.frame) return
    if (Math.hypot(preview.x - x, preview.y - y) > PROMOTED_WITHIN) this.forgetPreview()
  }
}
