/** Dark, light, or as the system has it. */
import { useEffect, useState } from 'react'

export const THEMES = ['system', 'dark', 'light'] as const
export type Theme = (typeof THEMES)[number]

const KEY = 'gicscope-theme'
const light = window.matchMedia('(prefers-color-scheme: light)')

const kept = (): Theme => {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'system'
  } catch {
    return 'system'
  }
}

const apply = (theme: Theme): void => {
  document.documentElement.dataset['theme'] = theme === 'system' ? (light.matches ? 'light' : 'dark') : theme
}

/** Before the first paint. */
export const applyKeptTheme = (): void => apply(kept())

export const useTheme = (): [Theme, (theme: Theme) => void] => {
  const [theme, setTheme] = useState(kept)
  useEffect(() => {
    apply(theme)
    try {
      localStorage.setItem(KEY, theme)
    } catch {
      // A browser that keeps nothing still shows the theme.
    }
    const follow = (): void => apply(theme)
    light.addEventListener('change', follow)
    return () => light.removeEventListener('change', follow)
  }, [theme])
  return [theme, setTheme]
}

/** Calls when the page changes its colours, for what draws without CSS. */
export const onThemeChange = (changed: () => void): (() => void) => {
  const observer = new MutationObserver(changed)
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  return () => observer.disconnect()
}

export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
