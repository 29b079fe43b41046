import { describe, expect, it } from 'vitest'
import { ACTIONS, DEFAULT_BINDINGS, PRESETS, type Preset } from '../../src/keys/actions'
import { chordOf, conflictsIn, isSingleKey, Keymap, presetBindings } from '../../src/keys/keymap'
import { text } from '../../src/text'

function press(key: string, modifiers: Partial<KeyboardEvent> = {}) {
  return { key, code: '', ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...modifiers }
}

describe('chords', () => {
  it.each([
    [press('z', { ctrlKey: true }), 'Ctrl+Z'],
    [press('Z', { metaKey: true, shiftKey: true }), 'Ctrl+Shift+Z'],
    [press('ArrowLeft', { shiftKey: true }), 'Shift+Left'],
    [press('?', { shiftKey: true }), '?'],
    [press(')', { shiftKey: true, code: 'Digit0' }), 'Shift+0'],
    [press(' '), 'Space'],
    [press('Enter', { shiftKey: true }), 'Shift+Enter'],
    [press('Shift', { shiftKey: true }), undefined],
  ])('are written one way', (event, chord) => {
    expect(chordOf(event)).toBe(chord)
  })

  it('of one key are not those with a modifier', () => {
    expect(['D', 'Shift+T', '['].every(isSingleKey)).toBe(true)
    expect(['Ctrl+Z', 'Delete', 'Esc', 'Alt+Up'].some(isSingleKey)).toBe(false)
  })
})

describe('bindings', () => {
  it.each(Object.keys(PRESETS) as Preset[])('of the preset %s have no conflicts', (preset) => {
    expect(conflictsIn(presetBindings(preset))).toEqual([])
  })

  it('that clash or are the browser’s are found', () => {
    const bindings = { ...DEFAULT_BINDINGS, lock: ['H'], solo: ['Ctrl+W'] }
    expect(conflictsIn(bindings)).toEqual([
      { chord: 'H', actions: ['hideObject', 'lock'] },
      { chord: 'Ctrl+W', actions: ['solo'] },
    ])
  })

  it('all have words', () => {
    expect(ACTIONS.filter((action) => !text.actions[action])).toEqual([])
  })

  it('lose their single keys where a person turns them off', () => {
    const keymap = new Keymap(DEFAULT_BINDINGS, false)
    expect(keymap.find(press('f'))).toBeUndefined()
    expect(keymap.find(press('ArrowRight'))).toBe('nextFrame')
    expect(keymap.find(press('y', { ctrlKey: true }))).toBe('redo')
  })
})
