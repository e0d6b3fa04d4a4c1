/** Instruction bodies written as WebAssembly, the part that looks at CPU state which lies at constant addresses. */
import { bank, mode, sysregAt } from '../layout.ts'
import { PUSHED } from './arithmetic-ops.ts'
import type { Pushed } from './arithmetic-ops.ts'
import { VectorOps } from './vector-ops.ts'

export abstract class StateOps extends VectorOps {
  kept(slot: number): Pushed {
    this.code.i32(0)
    this.code.memory('i64.load', sysregAt(slot))
    return PUSHED
  }

  keep(slot: number, value: Pushed): void {
    const kept = this.let(64, value)
    this.code.i32(0)
    this.code.get(kept.local)
    this.code.memory('i64.store', sysregAt(slot))
  }

  atEl1h(): Pushed {
    this.code.i32(0)
    this.code.memory('i32.load', bank.MODE)
    this.code.i32(mode.EL1H)
    this.code.op('i32.eq')
    return PUSHED
  }
}
