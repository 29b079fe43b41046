/** Growing pauses between attempts, spread by chance so that many pages do not return at the same moment. */
export class Backoff {
  private attempt = 0

  constructor(
    private readonly first = 250,
    private readonly most = 8000,
    private readonly random: () => number = Math.random,
  ) {}

  /** The next pause, in milliseconds: between half of it and all of it. */
  next(): number {
    const pause = Math.min(this.most, this.first * 2 ** this.attempt++)
    return pause * (0.5 + this.random() / 2)
  }

  reset(): void {
    this.attempt = 0
  }
}
