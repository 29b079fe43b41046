/** Masks that are there already: files of other tools, or of this one, become new objects of the open item. */
import { api } from '../api/client'
import type { Item } from '../api/types'
import { uploadMasks } from '../api/upload'
import { text } from '../text'
import { notices } from './notices.svelte'

export class MaskImport {
  running = $state(false)

  constructor(private readonly item: Item) {}

  async take(file: File): Promise<void> {
    this.running = true
    try {
      const { id, project } = this.item
      const upload = await uploadMasks(project, file)
      let job = await api.importMasks(project, { upload, items: [id], as: 'masks' })
      while (job.state === 'queued' || job.state === 'running') job = await api.job(job.id, 20)
      if (job.state !== 'done') throw new Error(job.error ?? text.importing.stopped)
      notices.say([text.importing.done(file.name), ...(job.notes ?? [])].join('; '))
    } catch (error) {
      notices.report(error)
    } finally {
      this.running = false
    }
  }
}
