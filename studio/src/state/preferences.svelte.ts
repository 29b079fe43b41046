/** What a person set, kept in this browser. */
import { type Action, type Bindings, DEFAULT_BINDINGS, type Preset } from '../keys/actions'
import { Keymap } from '../keys/keymap'
import { text } from '../text'

export type Theme = 'auto' | 'light' | 'dark'

interface Stored {
  theme: Theme
  preset: Preset
  bindings: Bindings
  singleKeys: boolean
  opacity: number
  outlines: boolean
  hoverPreview: boolean
  coachSeen: boolean
  sidePanel: number
  timelinePanel: number
  sideOpen: boolean
  timelineOpen: boolean
}

const DEFAULTS: Stored = {
  theme: 'auto',
  preset: 'masklet',
  bindings: DEFAULT_BINDINGS,
  singleKeys: true,
  opacity: 0.45,
  outlines: true,
  hoverPreview: true,
  coachSeen: false,
  sidePanel: 288,
  timelinePanel: 208,
  sideOpen: true,
  timelineOpen: true,
}
const KEY = 'masklet-studio'

function load(): Stored {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Stored>
    return { ...DEFAULTS, ...stored, bindings: { ...DEFAULT_BINDINGS, ...stored.bindings } }
  } catch {
    return { ...DEFAULTS }
  }
}

class Preferences {
  values = $state(load())
  readonly keymap = $derived(new Keymap(this.values.bindings, this.values.singleKeys))

  /** What an action is called, with its key as it is bound. */
  titleOf(action: Action): string {
    const [chord] = this.values.bindings[action]
    return chord ? `${text.actions[action]} (${chord})` : text.actions[action]
  }

  set(change: Partial<Stored>): void {
    Object.assign(this.values, change)
    this.applyTheme()
    try {
      localStorage.setItem(KEY, JSON.stringify(this.values))
    } catch {
      // A browser that keeps nothing for this page, or no more: settings hold until it is closed.
    }
  }

  /** Light and dark are attributes of the document; automatic follows the system in the style sheet. */
  applyTheme(): void {
    const { theme } = this.values
    if (theme === 'auto') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = theme
  }
}

export const preferences = new Preferences()
