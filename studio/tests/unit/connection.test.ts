import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ServerEvent } from '../../src/api/types'
import { Backoff } from '../../src/wire/backoff'
import { Connection, type ConnectionHooks, type ConnectionState, MOST_WAITING } from '../../src/wire/connection'

class FakeSocket {
  static readonly OPEN = 1
  readyState = 0
  binaryType = ''
  written: Record<string, unknown>[] = []
  onopen?: () => void
  onmessage?: (message: { data: unknown }) => void
  onclose?: (closing: { code: number }) => void

  send(text: string) {
    this.written.push(JSON.parse(text) as Record<string, unknown>)
  }

  open(hello: object = { seq: 0 }) {
    this.readyState = 1
    this.onopen?.()
    this.say({ re: this.written[0]!['n'], ok: true, ...hello })
  }

  say(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) })
  }

  close(code = 1006) {
    this.readyState = 3
    this.onclose?.({ code })
  }
}

const sockets: FakeSocket[] = []
const states: ConnectionState[] = []
const events: ServerEvent[] = []

function connect(hooks: Partial<ConnectionHooks> = {}): Connection {
  return new Connection(
    'ws://x',
    {
      opened: () => {},
      stateChanged: (state) => states.push(state),
      event: (event) => events.push(event),
      packet: () => {},
      ...hooks,
    },
    () => {
      sockets.push(new FakeSocket())
      return sockets.at(-1) as unknown as WebSocket
    },
  )
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', FakeSocket)
  for (const list of [sockets, states, events]) list.length = 0
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('the connection', () => {
  it('settles each command with the reply of its number', async () => {
    const connection = connect()
    sockets[0]!.open()
    const first = connection.send({ do: 'undo' })
    const second = connection.send({ do: 'redo' })
    sockets[0]!.say({ re: second.number, ok: false, error: { code: 'nothing_to_redo', message: 'Nothing.' } })
    sockets[0]!.say({ re: first.number, ok: true, revision: 4 })
    await expect(first.reply).resolves.toMatchObject({ revision: 4 })
    await expect(second.reply).rejects.toMatchObject({ code: 'nothing_to_redo' })
    expect(connection.waitingCount).toBe(0)
  })

  it('sends unanswered commands again in order where nothing was committed meanwhile', async () => {
    const connection = connect()
    sockets[0]!.open({ item: { revision: 3 } })
    const sent = connection.send({ do: 'prompt', object: 1, frame: 0 })
    sockets[0]!.close()
    const queued = connection.send({ do: 'undo' })
    connection.sendFleeting({ do: 'preview', frame: 0 })
    expect(states).toEqual(['open', 'reconnecting'])
    await vi.advanceTimersByTimeAsync(300)
    sockets[1]!.open({ item: { revision: 3 } })
    expect(sockets[1]!.written.slice(1).map((message) => message['do'])).toEqual(['prompt', 'undo'])
    for (const { n } of sockets[1]!.written.slice(1)) sockets[1]!.say({ re: n, ok: true })
    await Promise.all([sent.reply, queued.reply])
  })

  it('tries again where the server does not greet', async () => {
    connect()
    await vi.advanceTimersByTimeAsync(11_000)
    expect(sockets).toHaveLength(2)
    sockets[1]!.open()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(states).toEqual(['reconnecting', 'open'])
  })

  it('does not add a click twice that the server may have committed', async () => {
    const connection = connect()
    sockets[0]!.open({ item: { revision: 3 } })
    const sent = expect(connection.send({ do: 'prompt', object: 1, frame: 0 }).reply).rejects.toMatchObject({
      code: 'unconfirmed',
    })
    sockets[0]!.close()
    connection.send({ do: 'undo' })
    await vi.advanceTimersByTimeAsync(300)
    sockets[1]!.open({ item: { revision: 4 } })
    await sent
    expect(sockets[1]!.written.slice(1).map((message) => message['do'])).toEqual(['undo'])
  })

  it('asks for events since the last one seen and ignores repeats', async () => {
    connect()
    sockets[0]!.open({ seq: 10 })
    sockets[0]!.say({ ev: 'job', seq: 11 })
    sockets[0]!.close()
    await vi.advanceTimersByTimeAsync(300)
    sockets[1]!.open({ seq: 11 })
    expect(sockets[1]!.written[0]).toMatchObject({ do: 'hello', since: 11 })
    sockets[1]!.say({ ev: 'job', seq: 11 })
    sockets[1]!.say({ ev: 'job', seq: 12 })
    expect(events.map(({ seq }) => seq)).toEqual([11, 12])
  })

  it('promises no more commands than it keeps', async () => {
    const connection = connect()
    for (let count = 0; count < MOST_WAITING; count++) connection.send({ do: 'undo' }).reply.catch(() => {})
    await expect(connection.send({ do: 'undo' }).reply).rejects.toMatchObject({ code: 'queue_full' })
  })

  it('learns otherwise why no socket is opened, keeps commands meanwhile, and goes on when it can', async () => {
    const reasons: (string | undefined)[] = []
    let reason: string | undefined = 'unauthenticated'
    const connection = connect({
      stateChanged: (_, why) => reasons.push(why),
      refused: () => Promise.resolve(reason),
    })
    const waiting = connection.send({ do: 'undo' })
    sockets[0]!.close(1006)
    await vi.advanceTimersByTimeAsync(1)
    expect(reasons.at(-1)).toBe('unauthenticated')
    expect(connection.waitingCount).toBe(1)
    reason = undefined
    await vi.advanceTimersByTimeAsync(300)
    sockets[1]!.open()
    expect(reasons.at(-1)).toBeUndefined()
    sockets[1]!.say({ re: sockets[1]!.written.at(-1)!['n'], ok: true })
    await expect(waiting.reply).resolves.toBeDefined()
  })

  it('gives up where it learns that the item is gone', async () => {
    const connection = connect({ refused: () => Promise.resolve('no_such_item') })
    const lost = expect(connection.send({ do: 'undo' }).reply).rejects.toMatchObject({ code: 'no_such_item' })
    sockets[0]!.close(1006)
    await lost
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sockets).toHaveLength(1)
    expect(connection.state).toBe('closed')
  })

  it('does not come back to an item that is gone', async () => {
    const connection = connect()
    sockets[0]!.open()
    const lost = expect(connection.send({ do: 'undo' }).reply).rejects.toMatchObject({ code: 'item_deleted' })
    sockets[0]!.close(4409)
    await lost
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sockets).toHaveLength(1)
    expect(states.at(-1)).toBe('closed')
  })
})

describe('pauses between attempts', () => {
  it('double up to a limit and start again', () => {
    const backoff = new Backoff(250, 1000, () => 1)
    expect([1, 2, 3, 4].map(() => backoff.next())).toEqual([250, 500, 1000, 1000])
    backoff.reset()
    expect(backoff.next()).toBe(250)
  })
})
