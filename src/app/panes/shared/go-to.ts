import type { Session } from '../../session/session.ts'
import { cpuOf } from './mentions.ts'
import type { Mentioned } from './mentions.ts'

/**
 * Goes to what a line speaks of: selects the vCPU (and so its frame) or the interrupt, and shows the moment at which it
 * spoke. `at`: virtual nanoseconds, where they are known.
 */
export const goTo = (session: Session, of: Mentioned, at: number | undefined): void => {
  if (of.kind === 'intid') {
    session.lookAtIrq(of.intid)
    session.view.show('interrupts')
  } else {
    const { machine } = session.store.getState()
    const cpu = machine === undefined ? undefined : cpuOf(of, machine)
    if (cpu === undefined) session.report('The machine has no vCPU like the one that this line speaks of.')
    else session.select(cpu)
  }
  if (at !== undefined) session.showMoment(at)
}
