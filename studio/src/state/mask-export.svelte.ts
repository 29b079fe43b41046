/** The export of the open item: it goes on when its dialog is closed, and is there when that is opened again. */
import { api } from '../api/client'
import type { Item, Job, NewExport } from '../api/types'
import { text } from '../text'
import { notices } from './notices.svelte'

type Choices = Pick<NewExport, 'objects' | 'frames'>

/** What would be lost is counted when the choices rest this long, in milliseconds. */
const REST = 300

export class MaskExport {
  format = $state('masklet')
  /** The export that runs, or that ended last. */
  job = $state.raw<Job>()
  /** A count of what would be lost, which writes nothing. */
  foreseen = $state.raw<Job>()
  readonly running = $derived(this.job !== undefined && isGoingOn(this.job))
  /** Where the file is, once it is there. */
  readonly address = $derived(
    this.job?.state === 'done' ? api.exportUrl(String(this.job.result?.['export'])) : undefined,
  )
  /** What the format cannot hold: how often, by what. */
  readonly losses = $derived(
    Object.entries(((this.job ?? this.foreseen)?.result?.['losses'] ?? {}) as Record<string, number>),
  )

  constructor(private readonly item: Item) {}

  async start(choices: Choices, strict: boolean): Promise<void> {
    try {
      let job = (this.job = await api.export(this.item.project, this.asked(choices, { strict })))
      while (isGoingOn(job)) job = this.job = await api.job(job.id, 20)
      if (job.error) throw new Error(job.error)
      notices.say(text.exporting.done)
    } catch (error) {
      this.forget()
      notices.report(error)
    }
  }

  /** Other choices were made: what was exported is not what is wanted now. */
  forget(): void {
    this.job = undefined
  }

  /** Count what these choices would lose, until the function that is returned ends it. */
  foresee(choices: Choices): () => void {
    let isOver = false
    const what = this.asked(choices, { dry_run: true })
    const wait = setTimeout(() => void this.count(what, () => isOver), REST)
    return () => {
      isOver = true
      clearTimeout(wait)
      this.foreseen = undefined
    }
  }

  private async count(what: NewExport, isOver: () => boolean): Promise<void> {
    try {
      let counting = await api.export(this.item.project, what)
      while (isGoingOn(counting) && !isOver()) counting = await api.job(counting.id, 1)
      if (!isOver()) this.foreseen = counting
      else if (isGoingOn(counting)) await api.cancelJob(counting.id)
    } catch {
      // The export itself reports what is wrong.
    }
  }

  private asked(choices: Choices, options: NewExport['options']): NewExport {
    return { ...choices, format: this.format, items: [this.item.id], options }
  }
}

function isGoingOn({ state }: Job): boolean {
  return state === 'queued' || state === 'running'
}
