import { useEffect, useState } from 'react'
import type { RefObject } from 'react'

export interface Window {
  readonly top: number
  readonly bottom: number
  readonly width: number
}

/** What of a scrolled element can be seen, once a frame. */
export const useWindow = (element: RefObject<HTMLElement | null>): Window => {
  const [seen, setSeen] = useState<Window>({ top: 0, bottom: 0, width: 0 })
  useEffect(() => {
    const { current } = element
    if (current === null) return
    let frame = 0
    const look = (): void => {
      frame = 0
      const { scrollTop, clientHeight, clientWidth } = current
      setSeen({ top: scrollTop, bottom: scrollTop + clientHeight, width: clientWidth })
    }
    const soon = (): void => {
      if (frame === 0) frame = requestAnimationFrame(look)
    }
    // It tells the size at once, and after a layout: to ask for it here would cost another one.
    const observer = new ResizeObserver(look)
    observer.observe(current)
    current.addEventListener('scroll', soon, { passive: true })
    return () => {
      cancelAnimationFrame(frame)
      observer.disconnect()
      current.removeEventListener('scroll', soon)
    }
  }, [element])
  return seen
}
