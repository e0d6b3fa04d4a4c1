import { useSession } from '../../session-context.ts'
import type { Session } from '../../session/session.ts'
import { cpuOf } from './mentions.ts'
import type { Mentioned } from './mentions.ts'

/** Goes to what a line speaks of: selects the vCPU, or shows the interrupts. */
export const goTo = (session: Session, of: Mentioned): void => {
  if (of.kind === 'intid') {
    session.view.show('interrupts')
    return
  }
  const { machine } = session.store.getState()
  const cpu = machine === undefined ? undefined : cpuOf(of, machine)
  if (cpu === undefined) session.report('The machine has no vCPU like the one that this line speaks of.')
  else session.select(cpu)
}

export const useMention = (): ((of: Mentioned) => void) => {
  const session = useSession()
  return (of) => goTo(session, of)
}
