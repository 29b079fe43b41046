/** What the studio says by itself: one line for the live region, and errors until they are dismissed. */
import { text } from '../text'

export interface Notice {
  id: number
  message: string
  /** Stable code and details, to be copied into a report. */
  details: string
}

class Notices {
  status = $state('')
  errors = $state.raw<Notice[]>([])
  private lastId = 0

  say(message: string): void {
    this.status = message
  }

  report(error: unknown): void {
    const { code, message } = error as { code?: string; message?: string }
    const shown = text.errors.codes[code ?? ''] ?? message ?? String(error)
    const repeated = this.errors.some((notice) => notice.message === shown)
    if (repeated || code === 'closed') return
    const details = [code, message, new Date().toISOString(), location.hash].filter(Boolean).join('\n')
    this.errors = [...this.errors.slice(-2), { id: ++this.lastId, message: shown, details }]
  }

  dismiss(id: number): void {
    this.errors = this.errors.filter((notice) => notice.id !== id)
  }
}

export const notices = new Notices()
