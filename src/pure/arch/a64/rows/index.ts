/** Every instruction there is. */
import type { Row } from '../row.ts'
import { branch } from './branch.ts'
import { dataImmediate } from './data-immediate.ts'
import { dataRegister } from './data-register.ts'
import { loadStore } from './load-store.ts'
import { system } from './system.ts'

export const rows: readonly Row[] = [...dataImmediate, ...dataRegister, ...branch, ...loadStore, ...system]
