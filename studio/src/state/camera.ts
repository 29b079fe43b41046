/** A camera of this browser, frame by frame, at one size. */
const LONGEST_SIDE = 1280
const QUALITY = 0.85

export class Camera {
  private closed = false
  private readonly context: CanvasRenderingContext2D

  private constructor(
    private readonly video: HTMLVideoElement,
    readonly width: number,
    readonly height: number,
  ) {
    const canvas = document.createElement('canvas')
    Object.assign(canvas, { width, height })
    this.context = canvas.getContext('2d')!
  }

  /** Browsers have cameras only on this machine and behind TLS. */
  static get isAvailable(): boolean {
    return Boolean(globalThis.navigator?.mediaDevices)
  }

  /** Ask for a camera, whose pictures are scaled to this size; without one, they have the camera's own. */
  static async open(width?: number, height?: number): Promise<Camera> {
    const wanted = { width: { ideal: width ?? LONGEST_SIDE }, ...(height && { height: { ideal: height } }) }
    const video = document.createElement('video')
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false })
    video.muted = true
    await video.play()
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight))
    const scaled = (side: number) => Math.max(1, Math.round(side * scale))
    return new Camera(video, width ?? scaled(video.videoWidth), height ?? scaled(video.videoHeight))
  }

  /** Call `take` for frames one after the other, until the camera is closed; those that come meanwhile are left out. */
  async eachFrame(take: () => Promise<void>): Promise<void> {
    while (!this.closed) {
      await new Promise((resolve) => this.video.requestVideoFrameCallback(resolve))
      if (!this.closed) await take()
    }
  }

  /** The picture of this moment, once to send and once to show. */
  async capture(): Promise<{ jpeg: ArrayBuffer; bitmap: ImageBitmap }> {
    const { canvas } = this.context
    this.context.drawImage(this.video, 0, 0, this.width, this.height)
    const encoded = new Promise<Blob>((resolve) => canvas.toBlob((blob) => resolve(blob!), 'image/jpeg', QUALITY))
    const [bitmap, blob] = await Promise.all([createImageBitmap(canvas), encoded])
    return { jpeg: await blob.arrayBuffer(), bitmap }
  }

  close(): void {
    this.closed = true
    for (const track of (this.video.srcObject as MediaStream).getTracks()) track.stop()
  }
}
