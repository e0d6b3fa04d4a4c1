/** Every row of the cases, and how the oracle's recorded lines are performed. */
import { deviceApiCases } from './device-api.ts'
import { deviceProbes } from './device-probes.ts'
import { guestProbes } from './guest-probes.ts'
import { guestCases } from './guests.ts'
import { iccCtlrCases } from './icc-ctlr.ts'
import { irouterCases } from './irouter.ts'
import { mpidrCases } from './mpidr.ts'
import { registerProbes } from './register-probes.ts'
import { redistributorCases } from './redistributors.ts'
import { saveRestoreCases } from './save-restore.ts'
import { sgiCases } from './sgi.ts'
import type { Env, KvmCase, Probes } from './kvm-case.ts'

export const kvmCases: readonly KvmCase[] = [
  ...mpidrCases,
  ...redistributorCases,
  ...irouterCases,
  ...sgiCases,
  ...iccCtlrCases,
  ...deviceApiCases,
  ...saveRestoreCases,
  ...guestCases,
]

const probes: Probes = { ...deviceProbes, ...registerProbes, ...guestProbes }

/** By the id of a recorded line. */
export const performed = (id: string): ((env: Env) => string) | undefined =>
  probes[id] ?? kvmCases.find((row) => row.id === id)?.run
