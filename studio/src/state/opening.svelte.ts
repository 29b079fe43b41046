/** Files that are being opened: uploaded into a new project, one item a file, then the first one is shown. */
import { api } from '../api/client'
import { imported, isMedia, upload } from '../api/upload'
import { text } from '../text'
import { app } from './app.svelte'
import { Camera } from './camera'
import { notices } from './notices.svelte'

const EXAMPLES = {
  video: new URL('../../../assets/juggle.mp4', import.meta.url).href,
  image: new URL('../../../assets/truck.jpg', import.meta.url).href,
}

class Opening {
  /** Name of the file in hand. */
  name = $state('')
  share = $state(0)

  /** Files that a person chose or dropped, on any screen; of a folder, what is no image and no video is left out. */
  async chosen(list: Iterable<File> | null | undefined): Promise<void> {
    const files = [...(list ?? [])]
    const media = files.filter(isMedia)
    if (files.length && !media.length) return notices.report(new Error(text.errors.noMedia(files[0]!.name)))
    if (this.name) return notices.report(new Error(text.errors.opening(this.name)))
    if (media.length) app.go(undefined)
    await this.files(media)
  }

  private async files(chosen: File[]): Promise<void> {
    const files = chosen.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
    const [first] = files
    if (!first) return
    this.name = first.name
    try {
      const project = await api.createProject(first.name)
      const items = []
      for (const file of files) {
        this.name = file.name
        items.push(await upload(project.id, file, (share) => (this.share = share)))
      }
      const ready = await Promise.allSettled(items.map(imported))
      for (const result of ready) if (result.status === 'rejected') notices.report(result.reason)
      const opened = ready.find((result) => result.status === 'fulfilled')
      if (opened) app.go(opened.value.id)
    } catch (error) {
      notices.report(error)
    } finally {
      this.name = ''
      this.share = 0
    }
  }

  async camera(): Promise<void> {
    try {
      const camera = await Camera.open()
      const { width, height } = camera
      const project = await api.createProject(text.start.camera)
      const item = await api.createStream(project.id, { width, height, name: text.start.camera, record: true })
      app.goLive(item.id, camera)
    } catch (error) {
      notices.report(error)
    }
  }

  async example(which: keyof typeof EXAMPLES): Promise<void> {
    try {
      const response = await fetch(EXAMPLES[which])
      const type = which === 'video' ? 'video/mp4' : 'image/jpeg'
      const name = which === 'video' ? 'juggle.mp4' : 'truck.jpg'
      await this.chosen([new File([await response.blob()], name, { type })])
    } catch (error) {
      notices.report(error)
    }
  }
}

export const opening = new Opening()
