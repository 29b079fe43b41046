/** The server itself, on a free port and a folder of its own, with the bundled model. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../../..')
const PYTHON = process.env['PYTHON'] ?? join(ROOT, '.venv/bin/python')

export class RealServer {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    /** With the token, as it is printed. */
    readonly address: string,
  ) {}

  static async start(): Promise<RealServer> {
    const folder = mkdtempSync(join(tmpdir(), 'masklet-studio-'))
    const command = ['-m', 'masklet', 'studio', '--no-browser', '--port', '0', '--data', folder]
    const environment = { ...process.env, PYTHONPATH: join(ROOT, 'src') }
    const started = spawn(PYTHON, command, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const address = await new Promise<string>((resolve, reject) => {
      const read = (data: Buffer) => {
        output += String(data)
        const found = /http:\/\/\S+#token=\S+/.exec(output)
        if (found) resolve(found[0])
      }
      started.stdout.on('data', read)
      started.stderr.on('data', read)
      started.on('exit', (code) => reject(new Error(`The server ended with ${code}: ${output}`)))
    })
    return new RealServer(started, folder, address)
  }

  get origin(): string {
    return new URL(this.address).origin
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill('SIGTERM')
    await ended
    rmSync(this.folder, { recursive: true, force: true })
  }
}
