/** Frames as bitmaps: the newest wish first, the last ones kept, what nobody waits for any more cancelled. */
const MOST_AT_ONCE = 3

function bytesOf({ width, height }: ImageBitmap): number {
  return 4 * width * height
}

export class FrameStore {
  private bitmaps = new Map<number, ImageBitmap>()
  private running = new Map<number, AbortController>()
  private wished: number[] = []
  private bytes = 0

  constructor(
    private readonly imageOf: (frame: number, signal: AbortSignal) => Promise<Blob>,
    private readonly arrived: (frame: number) => void,
    private readonly failed: (frame: number, error: unknown) => void,
    /** For bitmaps, in bytes. */
    private readonly room = 256 * 2 ** 20,
  ) {}

  has(frame: number): boolean {
    return this.bitmaps.has(frame)
  }

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
    for (const [frame, controller] of this.running) if (!frames.includes(frame)) this.giveUp(frame, controller)
    this.startNext()
  }

  /** Ask for nothing more; of what is on its way, these frames are still wanted. */
  narrow(frames: number[]): void {
    this.wish(frames.filter((frame) => this.running.has(frame)))
  }

  close(): void {
    this.wish([])
    for (const frame of [...this.bitmaps.keys()]) this.drop(frame)
  }

  private startNext(): void {
    while (this.running.size < MOST_AT_ONCE && this.wished.length) void this.load(this.wished.shift()!)
  }

  private async load(frame: number): Promise<void> {
    const controller = new AbortController()
    this.running.set(frame, controller)
    try {
      const bitmap = await createImageBitmap(await this.imageOf(frame, controller.signal))
      if (controller.signal.aborted) return bitmap.close()
      this.put(frame, bitmap)
      this.arrived(frame)
    } catch (error) {
      if (!controller.signal.aborted) this.failed(frame, error)
    } finally {
      // Given up and wished for again, it may be loaded anew by now.
      if (this.running.get(frame) === controller) this.running.delete(frame)
      this.startNext()
    }
  }

  private giveUp(frame: number, controller: AbortController): void {
    controller.abort()
    this.running.delete(frame)
  }

  put(frame: number, bitmap: ImageBitmap): void {
    this.drop(frame)
    this.bitmaps.set(frame, bitmap)
    this.bytes += bytesOf(bitmap)
    for (const oldest of this.bitmaps.keys()) {
      if (this.bytes <= this.room || oldest === frame) return
      this.drop(oldest)
    }
  }

  private drop(frame: number): void {
    const bitmap = this.bitmaps.get(frame)
    if (!bitmap) return
    this.bytes -= bytesOf(bitmap)
    this.bitmaps.delete(frame)
    bitmap.close()
  }
}
