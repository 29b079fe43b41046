/** Which screen is shown, who is signed in, and the model that answers. The address keeps the open item. */
import { api, ApiError } from '../api/client'
import type { Info } from '../api/types'
import { imported } from '../api/upload'
import type { Camera } from './camera'
import { notices } from './notices.svelte'
import { OpenItem } from './open-item.svelte'

const TOKEN = /^#token=(.+)$/

export type Dialog = 'export' | 'settings' | 'keys' | undefined

class App {
  info = $state.raw<Info>()
  signedOut = $state(false)
  open = $state.raw<OpenItem>()
  dialog = $state<Dialog>()
  /** Counts the items that were asked for. */
  private showing = 0
  /** A camera that is on, for an item that is being opened. */
  private camera: { item: string; camera: Camera } | undefined

  async start(): Promise<void> {
    window.addEventListener('hashchange', () => void this.followAddress())
    if (!TOKEN.test(location.hash)) await this.learnInfo()
    await this.followAddress()
  }

  /** Whether the server knows the token. */
  async signIn(token: string): Promise<boolean> {
    try {
      await api.login(token)
    } catch (error) {
      this.signedOut = true
      if (!(error instanceof ApiError && error.status === 401)) notices.report(error)
      return false
    }
    await this.learnInfo()
    return true
  }

  /** Formats that the server writes. */
  readonly exportFormats = $derived(
    (this.info?.features ?? []).flatMap((feature) => /^export:(.+)$/.exec(feature)?.[1] ?? []),
  )
  readonly hasLive = $derived(this.info?.features.includes('live') ?? false)
  readonly hasEverything = $derived(this.info?.features.includes('everything') ?? false)

  go(item: string | undefined): void {
    location.hash = item ? `#/${item}` : '#/'
  }

  /** Show a stream that was begun with this camera. */
  goLive(item: string, camera: Camera): void {
    this.camera = { item, camera }
    this.go(item)
  }

  /** Show the open item as the server has it by now. */
  private async reopen(): Promise<void> {
    const { open } = this
    if (!open) return
    open.close()
    this.open = undefined
    await this.show(open.item.id)
  }

  private takeCamera(item: string): Camera | undefined {
    const { camera } = this
    this.camera = undefined
    if (camera?.item === item) return camera.camera
    camera?.camera.close()
    return undefined
  }

  private async learnInfo(): Promise<void> {
    try {
      this.info = await api.info()
      this.signedOut = false
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.signedOut = true
      else notices.report(error)
    }
  }

  private async followAddress(): Promise<void> {
    const token = TOKEN.exec(location.hash)?.[1]
    if (token) {
      // The token is in the address once only: not in the history, not in what is bookmarked.
      history.replaceState(null, '', location.pathname)
      await this.signIn(token)
    }
    const id = /^#\/(itm_[\w-]+)$/.exec(location.hash)?.[1]
    if (id === this.open?.item.id) return
    this.open?.close()
    this.open = undefined
    this.dialog = undefined
    this.showing++
    if (id && !this.signedOut) await this.show(id)
  }

  private async show(id: string): Promise<void> {
    const showing = ++this.showing
    try {
      const item = await imported(await api.item(id))
      const project = await api.project(item.project)
      // The person may have gone elsewhere meanwhile, or elsewhere and back.
      if (location.hash === `#/${id}` && showing === this.showing)
        this.open = new OpenItem(item, project, this.takeCamera(id), () => void this.reopen())
    } catch (error) {
      if (showing !== this.showing) return
      notices.report(error)
      this.go(undefined)
    }
  }
}

export const app = new App()
