/** The editor of an affinity, at the CPU or the frame it was opened from: one for the whole picture. */
import { Popover } from 'radix-ui'
import { useMemo } from 'react'
import { AffinityEditor } from '../shared/affinity-editor.tsx'
import { frameId } from './frame-items.tsx'
import { rowId } from './cpu-items.tsx'

export interface Edited {
  readonly at: 'cpu' | 'frame'
  readonly cpu: number
}

export const Editor = ({ edited, onClose }: { readonly edited: Edited; readonly onClose: () => void }) => {
  const { at, cpu } = edited
  const anchor = useMemo(() => {
    const id = at === 'cpu' ? rowId(cpu) : frameId(cpu)
    return {
      current: { getBoundingClientRect: () => document.getElementById(id)?.getBoundingClientRect() ?? new DOMRect() },
    }
  }, [at, cpu])
  return (
    <Popover.Root open onOpenChange={(open) => !open && onClose()}>
      <Popover.Anchor virtualRef={anchor} />
      <Popover.Portal>
        <Popover.Content
          className="popover edit"
          side="bottom"
          align={at === 'cpu' ? 'start' : 'end'}
          sideOffset={6}
          collisionPadding={8}
        >
          {at === 'cpu' ? (
            <h2>MPIDR_EL1 of vCPU {cpu}</h2>
          ) : (
            <>
              <h2>GICR_TYPER of vCPU {cpu}</h2>
              <p className="dim">
                It is read-only and follows MPIDR_EL1 of vCPU {cpu}, by the rule set: to have it say something else,
                give the vCPU another affinity.
              </p>
            </>
          )}
          <AffinityEditor cpu={cpu} onNextBoot={onClose} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}
