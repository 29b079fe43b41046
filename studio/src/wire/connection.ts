/**
 * The socket of an open item: commands wait here until they are acknowledged, and survive a lost connection. After a
 * reconnect the server learns the last event seen. What it never answered is sent again where the item's revision
 * shows that nothing was committed; else its sender hears `unconfirmed`, because sending twice would add a click twice.
 */
import type { Command, Reply, ServerEvent } from '../api/types'
import { type MaskPacket, readPackets } from '../masks/packets'
import { Backoff } from './backoff'

export type ConnectionState = 'connecting' | 'open' | 'reconnecting' | 'closed'

/** What the server says about an error; `code` is stable, `message` is for people. */
export class CommandError extends Error {
  override name = 'CommandError'
  constructor(
    readonly code: string,
    message: string,
    readonly field?: string,
  ) {
    super(message)
  }
}

export interface ConnectionHooks {
  opened(hello: Reply): void
  /** `reason` is a code, where it is known why there is no connection. */
  stateChanged(state: ConnectionState, reason?: string): void
  /** No socket was opened, of which a page never hears why: ask otherwise, and return the reason's code. */
  refused?(): Promise<string | undefined>
  event(event: ServerEvent): void
  packet(packet: MaskPacket): void
}

interface Waiting {
  command: Command
  written: boolean
  resolve(reply: Reply): void
  reject(error: Error): void
}

/** Commands that wait for a connection, at most; more are refused rather than promised. */
export const MOST_WAITING = 100
/** The server greets within this time, in milliseconds. */
const ANSWER_WITHIN = 10_000
const CLOSE_CODES = new Map([
  [4401, 'unauthenticated'],
  [4403, 'wrong_origin'],
  [4404, 'no_such_item'],
  [4409, 'item_deleted'],
])
/** With these it is over; all else may change, and commands wait for it. */
const FINAL_REASONS = ['wrong_origin', 'no_such_item', 'item_deleted']

export type MakeSocket = (url: string) => WebSocket

export class Connection {
  state: ConnectionState = 'connecting'
  private reason: string | undefined
  private socket: WebSocket | undefined
  private greeted = false
  private nextNumber = 1
  private lastSequence = 0
  private revision: number | undefined
  private waiting = new Map<number, Waiting>()
  private backoff = new Backoff()
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly url: string,
    private readonly hooks: ConnectionHooks,
    private readonly makeSocket: MakeSocket = (address) => new WebSocket(address, 'masklet.v1'),
  ) {
    this.connect()
  }

  /** Send a command, now or after the next reconnect; the promise settles with the server's reply. */
  send(command: Command): { number: number; reply: Promise<Reply> } {
    const number = this.nextNumber++
    const reply = new Promise<Reply>((resolve, reject) => {
      if (this.state === 'closed') return reject(new CommandError('closed', 'This item is closed.'))
      if (this.state !== 'open' && this.waiting.size >= MOST_WAITING)
        return reject(new CommandError('queue_full', `${MOST_WAITING} commands wait for the connection already.`))
      this.writeWaiting(number, { command, written: false, resolve, reject })
    })
    return { number, reply }
  }

  /** Send what is worth nothing later (hover previews, where the person looks); dropped while not connected. */
  sendFleeting(command: Command): number {
    const number = this.nextNumber++
    if (this.greeted) this.write({ n: number, ...command })
    return number
  }

  /** Send bytes; false while not connected, as they are worth nothing later. */
  sendBinary(data: ArrayBuffer): boolean {
    if (this.greeted) this.socket?.send(data)
    return this.greeted
  }

  get waitingCount(): number {
    return this.waiting.size
  }

  /** Try at once instead of after the current pause. */
  reconnectNow(): void {
    if (this.state !== 'reconnecting') return
    clearTimeout(this.timer)
    this.connect()
  }

  close(): void {
    clearTimeout(this.timer)
    this.setState('closed')
    this.socket?.close(1000)
    this.rejectAll(new CommandError('closed', 'This item is closed.'))
  }

  private connect(): void {
    const socket = this.makeSocket(this.url)
    this.socket = socket
    // A connection that hangs without an answer is given up.
    this.timer = setTimeout(() => {
      socket.close()
      if (socket === this.socket && this.state !== 'closed') this.lost(0)
    }, ANSWER_WITHIN)
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => this.write({ n: this.nextNumber++, do: 'hello', since: this.lastSequence })
    socket.onmessage = ({ data }) => (typeof data === 'string' ? this.readText(data) : this.readBinary(data))
    socket.onclose = ({ code }) => {
      if (socket === this.socket && this.state !== 'closed') this.lost(code)
    }
  }

  private write(message: Record<string, unknown>): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message))
  }

  private readText(data: string): void {
    const message = JSON.parse(data) as Reply | ServerEvent
    if ('ev' in message) {
      // A replay may overlap what was seen before the connection broke.
      if (message.seq && message.seq <= this.lastSequence) return
      this.lastSequence = message.seq || this.lastSequence
      this.revision = message.revision ?? this.revision
      return this.hooks.event(message)
    }
    if (message.seq) this.lastSequence = Math.max(this.lastSequence, message.seq)
    if (!this.greeted) return this.welcome(message)
    this.revision = message.revision ?? this.revision
    const waiting = this.waiting.get(message.re)
    this.waiting.delete(message.re)
    if (!message.error) return waiting?.resolve(message)
    waiting?.reject(new CommandError(message.error.code, message.error.message, message.error.field ?? undefined))
  }

  private readBinary(data: ArrayBuffer): void {
    for (const packet of readPackets(data)) {
      this.lastSequence = Math.max(this.lastSequence, packet.sequence)
      this.hooks.packet(packet)
    }
  }

  private welcome(hello: Reply): void {
    const committed = this.revision !== undefined && hello.item?.revision !== this.revision
    this.revision = hello.item?.revision ?? this.revision
    clearTimeout(this.timer)
    this.greeted = true
    this.backoff.reset()
    this.setState('open')
    this.hooks.opened(hello)
    const kept = [...this.waiting.values()]
    this.waiting.clear()
    for (const waiting of kept) {
      if (waiting.written && committed)
        waiting.reject(new CommandError('unconfirmed', 'The connection broke before the server confirmed this.'))
      else this.writeWaiting(this.nextNumber++, waiting)
    }
  }

  /** Numbers grow on every socket, so what is sent again gets a new one. */
  private writeWaiting(number: number, waiting: Waiting): void {
    this.waiting.set(number, waiting)
    waiting.written = this.greeted
    if (this.greeted) this.write({ ...waiting.command, n: number })
  }

  private lost(code: number): void {
    clearTimeout(this.timer)
    this.socket = undefined
    const refused = !this.greeted
    this.greeted = false
    this.timer = setTimeout(() => this.connect(), this.backoff.next())
    this.retryBecause(CLOSE_CODES.get(code) ?? (refused ? this.reason : undefined))
    if (refused && code !== 0) void this.hooks.refused?.().then((reason) => this.learned(reason))
  }

  private learned(reason: string | undefined): void {
    if (this.state === 'reconnecting') this.retryBecause(reason)
  }

  private retryBecause(reason: string | undefined): void {
    if (!reason || !FINAL_REASONS.includes(reason)) return this.setState('reconnecting', reason)
    clearTimeout(this.timer)
    this.setState('closed', reason)
    this.rejectAll(new CommandError(reason, reason))
  }

  private rejectAll(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error)
    this.waiting.clear()
  }

  private setState(state: ConnectionState, reason?: string): void {
    if (state === this.state && reason === this.reason) return
    this.state = state
    this.reason = reason
    this.hooks.stateChanged(state, reason)
  }
}
