/** The vocabulary of instruction bodies, written as WebAssembly: what the interpreter and the translator have in common. */
import type {
  GprOperand,
  ImmOperand,
  JumpKind,
  Operand,
  Ops,
  SmallOperand,
  SysregOperand,
  Width,
} from '../../../pure/arch/a64/ops.ts'
import type { Pushed } from './arithmetic-ops.ts'
import { FlagOps } from './flag-ops.ts'

export abstract class WasmOps extends FlagOps implements Ops<Pushed> {
  abstract base(reg: GprOperand): Pushed
  abstract get(w: Width, reg: GprOperand): Pushed
  abstract set(w: Width, reg: GprOperand, value: Pushed): void
  abstract imm(w: Width, operand: ImmOperand | SmallOperand): Pushed
  abstract pcRelative(offset: ImmOperand): Pushed
  abstract pageRelative(offset: ImmOperand): Pushed
  abstract nextPc(): Pushed
  abstract jump(offset: ImmOperand, kind?: JumpKind): void
  abstract jumpIf(condition: Pushed, offset: ImmOperand): void
  abstract jumpTo(address: Pushed, kind: JumpKind): void
  abstract call(helper: string, kind: 'pure' | 'system', ...args: readonly (number | Operand)[]): void
  abstract ask(helper: string, ...args: readonly (number | Operand)[]): Pushed
  abstract argument(value: Pushed): void
  abstract sysregGet(slot: SysregOperand): Pushed
  abstract sysregSet(slot: SysregOperand, value: Pushed): void
}
