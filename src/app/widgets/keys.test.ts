import { describe, expect, it } from 'vitest'
import { keysText, pressed } from './keys.ts'
import type { KeyPress } from './keys.ts'

const press = (change: Partial<KeyPress>): KeyPress => ({
  key: '',
  code: '',
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...change,
})

describe('keys as text', () => {
  it.each([
    ['Mod+K', { key: 'k', code: 'KeyK', ctrlKey: true }, false, true],
    ['Mod+K', { key: 'k', code: 'KeyK', metaKey: true }, true, true],
    ['Mod+K', { key: 'k', code: 'KeyK', ctrlKey: true }, true, false],
    ['Mod+K', { key: 'k', code: 'KeyK' }, false, false],
    ['Mod+Shift+Z', { key: 'Z', code: 'KeyZ', ctrlKey: true, shiftKey: true }, false, true],
    ['Mod+Z', { key: 'Z', code: 'KeyZ', ctrlKey: true, shiftKey: true }, false, false],
    ['Ctrl+Shift+F', { key: 'F', code: 'KeyF', ctrlKey: true, shiftKey: true }, false, true],
    ['Ctrl+Shift+F', { key: 'F', code: 'KeyF', ctrlKey: true, shiftKey: true }, true, true],
    ['Ctrl+Shift+F', { key: 'F', code: 'KeyF', metaKey: true, shiftKey: true }, true, false],
    ['Ctrl+F6', { key: 'F6', code: 'F6', ctrlKey: true }, false, true],
    ['Ctrl+F6', { key: 'F6', code: 'F6', ctrlKey: true, shiftKey: true }, false, false],
    ['', { key: 'F1', code: 'F1' }, false, false],
    ['?', { key: '?', code: 'Minus', shiftKey: true }, false, true],
    ['?', { key: 'ß', code: 'Minus' }, false, false],
    // Alt makes another letter of it on many keyboards.
    ['Alt+1', { key: '¡', code: 'Digit1', altKey: true }, true, true],
    ['F6', { key: 'F6', code: 'F6' }, false, true],
    ['Shift+F6', { key: 'F6', code: 'F6', shiftKey: true }, false, true],
    ['F6', { key: 'F6', code: 'F6', shiftKey: true }, false, false],
  ])('%s with %o on an Apple keyboard (%s): %s', (keys, change, apple, is) => {
    expect(pressed(keys, press(change), apple)).toBe(is)
  })

  it('are shown as the keyboard has them', () => {
    expect(keysText('Mod+Shift+Z', false)).toBe('Ctrl Shift Z')
    expect(keysText('Mod+Shift+Z', true)).toBe('⌘⇧Z')
  })
})
