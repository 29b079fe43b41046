/** Frames as bitmaps: the newest wish first, the last ones kept, what nobody waits for any more cancelled. */
const MOST_BYTES = 256 * 2 ** 20
const MOST_AT_ONCE = 3

export class FrameStore {
  private bitmaps = new Map<number, ImageBitmap>()
  private running = new Map<number, AbortController>()
  private wished: number[] = []
  private bytes = 0

  constructor(
    private readonly urlOf: (frame: number) => string,
    private readonly arrived: (frame: number) => void,
    private readonly failed: (frame: number, error: unknown) => void,
  ) {}

  get(frame: number): ImageBitmap | undefined {
    const bitmap = this.bitmaps.get(frame)
    if (bitmap) {
      this.bitmaps.delete(frame)
      this.bitmaps.set(frame, bitmap)
    }
    return bitmap
  }

  /** Ask for these frames, most wanted first; earlier wishes that are not among them are dropped. */
  wish(frames: number[]): void {
    this.wished = frames.filter((frame) => !this.bitmaps.has(frame) && !this.running.has(frame))
    for (const [frame, controller] of this.running) if (!frames.includes(frame)) controller.abort()
    this.startNext()
  }

  close(): void {
    this.wish([])
    for (const bitmap of this.bitmaps.values()) bitmap.close()
    this.bitmaps.clear()
  }

  private startNext(): void {
    while (this.running.size < MOST_AT_ONCE && this.wished.length) void this.load(this.wished.shift()!)
  }

  private async load(frame: number): Promise<void> {
    const controller = new AbortController()
    this.running.set(frame, controller)
    try {
      const response = await fetch(this.urlOf(frame), { signal: controller.signal })
      if (!response.ok) throw new Error(`${response.status} ${response.statusText}`)
      this.put(frame, await createImageBitmap(await response.blob()))
      this.arrived(frame)
    } catch (error) {
      if (!controller.signal.aborted) this.failed(frame, error)
    } finally {
      this.running.delete(frame)
      this.startNext()
    }
  }

  put(frame: number, bitmap: ImageBitmap): void {
    this.bitmaps.set(frame, bitmap)
    this.bytes += 4 * bitmap.width * bitmap.height
    for (const [oldest, old] of this.bitmaps) {
      if (this.bytes <= MOST_BYTES || oldest === frame) return
      this.bytes -= 4 * old.width * old.height
      old.close()
      this.bitmaps.delete(oldest)
    }
  }
}
