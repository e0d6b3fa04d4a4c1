/** Dark, light, high contrast, or as the system has it. */
import { useSyncExternalStore } from 'react'

export const THEMES = ['system', 'dark', 'light', 'contrast'] as const
export type Theme = (typeof THEMES)[number]

export const THEME_TITLES: Readonly<Record<Theme, string>> = {
  system: 'As the system',
  dark: 'Dark',
  light: 'Light',
  contrast: 'High contrast',
}

const KEY = 'gicscope-theme'
const light = window.matchMedia('(prefers-color-scheme: light)')
const contrast = window.matchMedia('(prefers-contrast: more)')

const kept = (): Theme => {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'system'
  } catch {
    return 'system'
  }
}

let chosen: Theme = kept()
const hearers = new Set<() => void>()

const apply = (): void => {
  const ofSystem = contrast.matches ? 'contrast' : light.matches ? 'light' : 'dark'
  document.documentElement.dataset['theme'] = chosen === 'system' ? ofSystem : chosen
}

/** Before the first paint. */
export const applyKeptTheme = (): void => {
  apply()
  light.addEventListener('change', apply)
  contrast.addEventListener('change', apply)
}

export const setTheme = (theme: Theme): void => {
  chosen = theme
  apply()
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // A browser that keeps nothing still shows the theme.
  }
  for (const hear of hearers) hear()
}

const listen = (hear: () => void): (() => void) => {
  hearers.add(hear)
  return () => hearers.delete(hear)
}

export const useTheme = (): Theme => useSyncExternalStore(listen, () => chosen)

/** Calls when the page changes its colours, for what draws without CSS. */
export const onThemeChange = (changed: () => void): (() => void) => {
  const observer = new MutationObserver(changed)
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  return () => observer.disconnect()
}

export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
