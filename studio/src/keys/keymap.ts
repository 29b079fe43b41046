/** From key events to actions: a chord is written "Ctrl+Shift+Z", its modifiers always in this order. */
import { ACTIONS, type Action, type Bindings, DEFAULT_BINDINGS, PRESETS, type Preset } from './actions'

type KeyPress = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>

const NAMES: Record<string, string> = {
  ArrowLeft: 'Left',
  ArrowRight: 'Right',
  ArrowUp: 'Up',
  ArrowDown: 'Down',
  Escape: 'Esc',
  ' ': 'Space',
  Backspace: 'Delete',
}

/** Chords that stay with the browser or with moving the focus. */
const NEVER_TAKEN = /^(Shift\+)?Tab$|^Ctrl\+[TWN1-9]$/

/** The chord of a key event, or undefined where only a modifier was pressed. Cmd counts as Ctrl. */
export function chordOf(press: KeyPress): string | undefined {
  if (['Control', 'Shift', 'Alt', 'Meta', 'AltGraph', 'Dead'].includes(press.key)) return undefined
  let key = NAMES[press.key] ?? (press.key.length === 1 ? press.key.toUpperCase() : press.key)
  let shift = press.shiftKey
  if (press.code.startsWith('Digit') && shift) key = press.code.slice(5)
  // "?" and "+" already say that Shift was held.
  else if (key.length === 1 && key.toLowerCase() === key.toUpperCase()) shift = false
  const modifiers = [press.ctrlKey || press.metaKey ? 'Ctrl' : '', press.altKey ? 'Alt' : '', shift ? 'Shift' : '']
  return [...modifiers.filter(Boolean), key].join('+')
}

/** A chord of one character with no other modifier than Shift, which WCAG 2.1.4 lets people turn off. */
export function isSingleKey(chord: string): boolean {
  return /^(Shift\+)?.$/u.test(chord)
}

export function presetBindings(preset: Preset): Bindings {
  return { ...DEFAULT_BINDINGS, ...PRESETS[preset] }
}

export interface Conflict {
  chord: string
  /** The actions that share it; one action where the browser has it. */
  actions: Action[]
}

/** Chords of `bindings` that would start two actions, or that are the browser's. */
export function conflictsIn(bindings: Bindings): Conflict[] {
  const actionsOf = new Map<string, Action[]>()
  for (const action of ACTIONS) {
    for (const chord of bindings[action]) actionsOf.set(chord, [...(actionsOf.get(chord) ?? []), action])
  }
  return [...actionsOf]
    .filter(([chord, actions]) => actions.length > 1 || NEVER_TAKEN.test(chord))
    .map(([chord, actions]) => ({ chord, actions }))
}

/** What a key does: an action, the number of an object to select, or nothing. */
export class Keymap {
  private readonly actions = new Map<string, Action>()

  constructor(bindings: Bindings, singleKeys = true) {
    for (const action of ACTIONS) {
      for (const chord of bindings[action]) {
        if (singleKeys || !isSingleKey(chord)) this.actions.set(chord, action)
      }
    }
  }

  find(press: KeyPress): Action | undefined {
    const chord = chordOf(press)
    return chord === undefined ? undefined : this.actions.get(chord)
  }
}
