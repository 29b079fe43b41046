/**
 * Loads again what the server has, one load at a time. Whoever asks while one is on its way may know of something newer
 * than its answer: one more load follows, for all who asked meanwhile.
 */
export class Refresher {
  private running: Promise<void> | undefined
  private next: Promise<void> | undefined

  /** `load` reports its own errors. */
  constructor(private readonly load: () => Promise<void>) {}

  refresh(): Promise<void> {
    if (!this.running) return (this.running = this.load().finally(() => (this.running = undefined)))
    return (this.next ??= this.running.then(() => {
      this.next = undefined
      return this.refresh()
    }))
  }
}
