/** The server itself, on a free port and a folder of its own, with the bundled model. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../../..')
export const PYTHON = process.env['PYTHON'] ?? join(ROOT, '.venv/bin/python')
export const ENVIRONMENT = { ...process.env, PYTHONPATH: join(ROOT, 'src') }

export class RealServer {
  private process: ChildProcess | undefined
  private readonly folder = mkdtempSync(join(tmpdir(), 'masklet-studio-'))
  /** With the token, as it is printed. */
  address = ''

  static async start(): Promise<RealServer> {
    const server = new RealServer()
    await server.begin(0)
    return server
  }

  get origin(): string {
    return new URL(this.address).origin
  }

  /** Kill it at once, as `kill -9` does. */
  async crash(): Promise<void> {
    await this.end('SIGKILL')
  }

  /** Start again after a crash, where it was. */
  async restart(): Promise<void> {
    await this.begin(Number(new URL(this.address).port))
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM')
    rmSync(this.folder, { recursive: true, force: true })
  }

  private async begin(port: number): Promise<void> {
    const command = ['-m', 'masklet', 'studio', '--no-browser', '--port', String(port), '--data', this.folder]
    const started = spawn(PYTHON, command, { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] })
    this.process = started
    let output = ''
    this.address = await new Promise<string>((resolve, reject) => {
      const read = (data: Buffer) => {
        output += String(data)
        const found = /http:\/\/\S+#token=\S+/.exec(output)
        if (found) resolve(found[0])
      }
      started.stdout.on('data', read)
      started.stderr.on('data', read)
      started.on('exit', (code) => reject(new Error(`The server ended with ${code}: ${output}`)))
    })
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const ended = new Promise((resolve) => this.process!.once('exit', resolve))
    this.process!.kill(signal)
    await ended
  }
}
