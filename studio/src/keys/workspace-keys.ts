/** Keys in the workspace: what is typed into fields stays there, and buttons keep Space and Enter. */
import type { CanvasView } from '../canvas/canvas-view.svelte'
import type { Gestures } from '../canvas/gestures'
import { app } from '../state/app.svelte'
import { preferences } from '../state/preferences.svelte'
import type { Action } from './actions'
import { chordOf, isSingleKey } from './keymap'
import { perform } from './perform'

const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
}

export class WorkspaceKeys {
  constructor(
    private readonly view: CanvasView,
    private readonly gestures: Gestures,
  ) {}

  down(event: KeyboardEvent): void {
    const target = event.target as HTMLElement
    if (app.dialog || event.defaultPrevented || target.closest('dialog, [popover]')) return
    if (target.matches('[data-testid="canvas"]') && this.moveCrosshair(event)) return event.preventDefault()
    const chord = chordOf(event)
    if (!chord || this.belongsTo(target, chord)) return
    const action = preferences.keymap.find(event)
    if (action) this.start(action, event)
    else if (/^[1-9]$/.test(chord) && preferences.values.singleKeys) this.select(Number(chord))
  }

  up(event: KeyboardEvent): void {
    if (event.key !== ' ' || !this.gestures.spaceHeld) return
    this.gestures.spaceHeld = false
    // A drag with Space held moved the frame; without one, Space plays.
    if (!this.gestures.panned) this.view.open.playhead.toggle()
  }

  private start(action: Action, event: KeyboardEvent): void {
    event.preventDefault()
    if (action === 'play') {
      if (event.repeat) return
      this.gestures.spaceHeld = true
      this.gestures.panned = false
      return
    }
    perform(action, { open: this.view.open, view: this.view, openFiles: () => app.go(undefined) })
  }

  /** Whether the focused element needs this key itself. */
  private belongsTo(target: HTMLElement, chord: string): boolean {
    if (target.matches('input:not([type=range], [type=checkbox]), textarea, select'))
      return isSingleKey(chord) || !/^(Ctrl|F\d)/.test(chord) || /^Ctrl\+[ZYACVX]$/.test(chord)
    if (target.matches('input[type=range]') && /^(Left|Right|Up|Down|Home|End)$/.test(chord)) return true
    const isButton = target.matches('button, a, [role=button], [role=option], input[type=checkbox]')
    return isButton && ['Space', 'Enter', 'Shift+Enter'].includes(chord)
  }

  private moveCrosshair(event: KeyboardEvent): boolean {
    const arrow = ARROWS[event.key]
    if (!arrow || event.ctrlKey || event.altKey || event.metaKey) return false
    const step = event.shiftKey ? 10 : 1
    this.view.moveCrosshair(step * arrow[0], step * arrow[1])
    return true
  }

  /** By number; the ninth and later ones are reached by Alt+Down. */
  private select(number: number): void {
    const { open } = this.view
    const object = open.objects.find(({ id }) => id === number)
    if (object) open.select(object.id)
  }
}
