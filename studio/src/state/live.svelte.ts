/** A stream that goes on: the camera's frames go to the server, and each is shown once its masks are back. */
import type { Item } from '../api/types'
import { Camera } from './camera'
import { notices } from './notices.svelte'
import type { OpenItem } from './open-item.svelte'

/** Frames on their way, at most: one that is tracked and one that waits. */
const MOST_UNANSWERED = 2

export interface Rates {
  fps_out: number
  dropped: number
  latency_ms: { p50: number; p95: number }
}

export function isLive(item: Item): boolean {
  return item.kind === 'stream' && item.frames === null && item.status === 'ready'
}

export class Live {
  rates = $state.raw<Rates>()
  camera = $state.raw<Camera>()
  finishing = $state(false)
  /** Frames that were sent, until the masks of a later one are back. */
  private sent = new Map<number, ImageBitmap>()
  private next: number | undefined

  constructor(
    private readonly open: OpenItem,
    camera: Camera | undefined,
  ) {
    if (camera) this.start(camera)
  }

  /** Go on with a camera of this browser, after a reload or in another tab. */
  async resume(): Promise<void> {
    try {
      this.start(await Camera.open(this.open.width, this.open.height))
    } catch (error) {
      notices.report(error)
    }
  }

  /** The server greets, and says which frame comes next. */
  greeted(next: number): void {
    this.forget(Infinity)
    this.next = next
  }

  told(news: Record<string, unknown>): void {
    if (news['error']) notices.report(new Error(String(news['error'])))
    else this.rates = news as unknown as Rates
  }

  answered(frame: number): void {
    const bitmap = this.sent.get(frame)
    this.sent.delete(frame)
    this.forget(frame)
    if (!bitmap) return
    this.open.frames.put(frame, bitmap)
    this.open.playhead.arrive(frame)
  }

  async finish(): Promise<void> {
    this.finishing = true
    this.stop()
    const reply = await this.open.command({ do: 'finish' })
    this.finishing = false
    if (reply) this.open.changed()
  }

  stop(): void {
    this.camera?.close()
    this.camera = undefined
    this.forget(Infinity)
  }

  private start(camera: Camera): void {
    this.camera = camera
    void camera.eachFrame(async () => {
      if (this.next === undefined || this.sent.size >= MOST_UNANSWERED) return
      const number = this.next++
      const { jpeg, bitmap } = await camera.capture()
      this.sent.set(number, bitmap)
      if (!this.open.sendFrame(messageOf(number, jpeg))) this.next = undefined
    })
  }

  private forget(before: number): void {
    for (const [number, bitmap] of this.sent) {
      if (number >= before) continue
      bitmap.close()
      this.sent.delete(number)
    }
  }
}

/** "MKF1", the number, 0, the time in microseconds, then the JPEG. */
function messageOf(number: number, jpeg: ArrayBuffer): ArrayBuffer {
  const message = new Uint8Array(20 + jpeg.byteLength)
  const view = new DataView(message.buffer)
  message.set([0x4d, 0x4b, 0x46, 0x31])
  view.setUint32(4, number, true)
  view.setBigUint64(12, BigInt(Math.round(1000 * performance.now())), true)
  message.set(new Uint8Array(jpeg), 20)
  return message.buffer
}
