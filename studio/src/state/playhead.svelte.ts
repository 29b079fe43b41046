/** The frame on screen: seeking, playing, and telling the server where the person looks. */
import type { OpenItem } from './open-item.svelte'

/** A person who stays this long rests, in milliseconds: the server hears of the frame, and its exact pixels are loaded. */
const REST = 120
const AHEAD = 8

export class Playhead {
  frame = $state(0)
  playing = $state(false)
  /** Where the person was when tracking was started; undefined: the playhead follows nothing. */
  private followedFrom: number | undefined
  private restTimer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly open: OpenItem) {}

  seek(frame: number): void {
    this.stay()
    this.show(frame)
  }

  /** Show what is tracked as it arrives, until the person goes elsewhere. */
  followTracking(): void {
    this.pause()
    this.followedFrom = this.frame
  }

  tracked(frame: number): void {
    if (this.followedFrom !== undefined) this.show(frame)
  }

  /** The person works on this frame: no longer follow what is tracked. */
  stay(): void {
    this.followedFrom = undefined
  }

  /** Back to where tracking was started. */
  stopFollowing(): void {
    if (this.followedFrom !== undefined) this.seek(this.followedFrom)
  }

  /** Show the frame of a stream that has its masks by now. */
  arrive(frame: number): void {
    this.frame = frame
    this.open.prompting.frameChanged()
    this.open.drawn++
  }

  private show(frame: number): void {
    this.frame = Math.min(Math.max(Math.round(frame), 0), this.open.frameCount - 1)
    this.open.prompting.frameChanged()
    this.bring()
    this.open.drawn++
    void this.open.loadMasks(this.frame)
    clearTimeout(this.restTimer)
    this.restTimer = setTimeout(() => this.rest(), REST)
  }

  /** Load the frame: of a video a draft, which comes sooner, until the person rests on it. */
  private bring(): void {
    const { drafts, frames } = this.open
    if (this.playing || !drafts) return frames.wish(this.wished())
    frames.narrow(this.wished())
    drafts.wish(frames.has(this.frame) ? [] : [this.frame])
  }

  private rest(): void {
    this.open.frames.wish(this.wished())
    this.look()
  }

  step(frames: number): void {
    this.pause()
    this.seek(this.frame + frames)
  }

  look(): void {
    if (this.open.live) return
    this.open.fleeting({ do: 'look', frame: this.frame, ahead: this.playing ? AHEAD : 2 })
  }

  toggle(): void {
    if (this.playing) return this.pause()
    if (!this.open.isVideo) return
    if (this.frame === this.open.frameCount - 1) this.seek(0)
    this.playing = true
    this.play(performance.now())
  }

  pause(): void {
    this.playing = false
  }

  close(): void {
    this.pause()
    clearTimeout(this.restTimer)
  }

  /** To the nearest frame before (-1) or after (1) this one with a prompt of the selected object. */
  seekPrompt(direction: -1 | 1): void {
    const frames = this.open.current?.prompts.map(({ frame }) => frame).sort((a, b) => direction * (a - b))
    const found = frames?.find((frame) => direction * (frame - this.frame) > 0)
    if (found !== undefined) this.seek(found)
  }

  private play(due: number): void {
    requestAnimationFrame((now) => {
      if (!this.playing) return
      const pause = 1000 / (this.open.item.fps ?? 25)
      if (now < due + pause || !this.open.frames.get(this.frame + 1)) return this.play(due)
      this.seek(this.frame + 1)
      if (this.frame === this.open.frameCount - 1) return this.pause()
      this.play(Math.max(due + pause, now - pause))
    })
  }

  /** The frame and those near it. The two before it come early, as long as the server has them at hand. */
  private wished(): number[] {
    const ahead = Array.from({ length: AHEAD - 2 }, (_, index) => index + 2)
    const near = [0, 1, -1, -2, ...ahead].map((distance) => this.frame + distance)
    return near.filter((frame) => frame >= 0 && frame < this.open.frameCount)
  }
}
