import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef } from 'react'
import type { ReactNode } from 'react'

/** A long list of which only what can be seen is there. Rows measure themselves. */
export const VirtualList = (props: {
  readonly label: string
  readonly count: number
  readonly estimate: number
  readonly renderRow: (place: number) => ReactNode
  readonly head?: ReactNode
  readonly className?: string
  /** Stays at the end while the person has not scrolled away from it. */
  readonly follow?: boolean
  /** A place to bring into view, once each time it changes. */
  readonly show?: number | undefined
}) => {
  const scroller = useRef<HTMLDivElement>(null)
  const atEnd = useRef(true)
  // Only what a person does takes the list away from its end; it scrolls by itself while rows come and are measured.
  const touched = useRef(false)
  const touch = (): void => {
    touched.current = true
  }
  // What it returns changes with every scroll and is used here alone, where nothing is memoized.
  // oxlint-disable-next-line react/incompatible-library
  const virtual = useVirtualizer({
    count: props.count,
    getScrollElement: () => scroller.current,
    estimateSize: () => props.estimate,
    overscan: 6,
  })
  const { count, follow, show } = props
  // Rows that turn out higher than they were taken for, and a pane of another size, move the end.
  const size = virtual.getTotalSize()
  useEffect(() => {
    const { current } = scroller
    if (follow !== true || current === null || count === 0) return
    const goToEnd = (): void => {
      if (atEnd.current) virtual.scrollToIndex(count - 1, { align: 'end' })
    }
    goToEnd()
    const observer = new ResizeObserver(goToEnd)
    observer.observe(current)
    return () => observer.disconnect()
  }, [count, size, follow, virtual])
  useEffect(() => {
    if (show !== undefined && show >= 0 && show < count) virtual.scrollToIndex(show, { align: 'center' })
  }, [show, count, virtual])

  return (
    <div
      className={`pane-body ${props.className ?? ''}`}
      ref={scroller}
      tabIndex={0}
      role="region"
      aria-label={props.label}
      onWheel={touch}
      onTouchMove={touch}
      onPointerDown={touch}
      onKeyDown={touch}
      onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
        const near = scrollTop + clientHeight >= scrollHeight - 40
        if (near || touched.current) atEnd.current = near
        if (near) touched.current = false
      }}
    >
      {props.head}
      <div className="rows" style={{ height: size }}>
        {virtual.getVirtualItems().map(({ key, index, start }) => (
          <div
            key={key}
            data-index={index}
            ref={virtual.measureElement}
            className="row"
            style={{ transform: `translateY(${start}px)` }}
          >
            {props.renderRow(index)}
          </div>
        ))}
      </div>
    </div>
  )
}
