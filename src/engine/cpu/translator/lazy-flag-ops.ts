/**
 * The condition flags of translated code: whoever sets them only notes the operands, and whoever asks computes what it
 * asks for. Reading changes nothing of what is noted.
 */
import type { IntCompare, Local, SmallOperand, Width } from '../../../pure/arch/a64/ops.ts'
import { PUSHED } from '../emit/arithmetic-ops.ts'
import type { Pushed } from '../emit/arithmetic-ops.ts'
import { MemoryOps } from '../emit/memory-ops.ts'
import type { AccessPorts } from '../emit/memory-ops.ts'
import { SUB32_OR_NZCV, SUB64_OR_NZCV, UNTOUCHED, flagKind, meet } from '../flag-kind.ts'
import type { FlagKind, FlagState } from '../flag-kind.ts'
import { scratch } from '../layout.ts'
import { conditionMasks } from '../state.ts'
import type { Code } from '../../wasm/code.ts'

export interface FlagLocals {
  /** 32 bits. */
  readonly kind: number
  /** 64 bits each. */
  readonly a: number
  readonly b: number
}

export interface FlagPorts extends AccessPorts {
  /** Resolves the flags noted in `scratch` into the bank's, and answers with NZCV. */
  readonly flags: number
}

const masks = conditionMasks()

/** Conditions after a compare of a with b, as a relation of the two (Arm ARM C1.2.4). */
const AFTER_SUB: readonly (IntCompare | undefined)[] = [
  'eq',
  'ne',
  'geU',
  'ltU',
  undefined,
  undefined,
  undefined,
  undefined,
  'gtU',
  'leU',
  'geS',
  'ltS',
  'gtS',
  'leS',
]
/** The same after a logical operation, of its result with 0; true and false where C = V = 0 decide alone. */
const AFTER_LOGIC: readonly (IntCompare | boolean)[] = [
  'eq',
  'ne',
  false,
  true,
  'ltS',
  'geS',
  false,
  true,
  false,
  true,
  'geS',
  'ltS',
  'gtS',
  'leS',
  true,
  true,
]
/** The first four of N and Z after an addition, of the sum with 0. */
const AFTER_ADD: Readonly<Record<number, IntCompare>> = { 0: 'eq', 1: 'ne', 4: 'ltS', 5: 'geS' }

export abstract class LazyFlagOps extends MemoryOps {
  protected readonly flagLocals: FlagLocals
  private readonly resolve: number
  flagState: FlagState = UNTOUCHED
  /** How many `when` are open around what is emitted. */
  protected nesting = 0

  constructor(code: Code, ports: FlagPorts, locals: FlagLocals) {
    super(code, ports)
    this.resolve = ports.flags
    this.flagLocals = locals
  }

  // ---- setting

  private note(kind: FlagKind, w: Width, a: Local, b?: Local): void {
    const c = this.code
    const keep = (from: Local, to: number): void => {
      c.get(from.local)
      if (w === 32) c.op('i64.extend_i32_u')
      c.set(to)
    }
    keep(a, this.flagLocals.a)
    if (b !== undefined) keep(b, this.flagLocals.b)
    this.noteKind(kind)
  }

  private noteKind(kind: FlagKind): void {
    this.code.i32(kind)
    this.code.set(this.flagLocals.kind)
    this.flagState = kind
  }

  flagsAdd(w: Width, a: Local, b: Local): void {
    this.note(w === 64 ? flagKind.ADD64 : flagKind.ADD32, w, a, b)
  }

  flagsSub(w: Width, a: Local, b: Local): void {
    this.note(w === 64 ? flagKind.SUB64 : flagKind.SUB32, w, a, b)
  }

  flagsLogic(w: Width, a: Local): void {
    this.note(w === 64 ? flagKind.LOGIC64 : flagKind.LOGIC32, w, a)
  }

  flagsSet(_nzcv: Pushed): void {
    this.code.op('i64.extend_i32_u')
    this.code.set(this.flagLocals.a)
    this.noteKind(flagKind.NZCV)
  }

  flagsAdc(w: Width, a: Local, b: Local, carryIn: Local): void {
    const c = this.code
    const type = w === 64 ? 'i64' : 'i32'
    const r = this.temporary(type)
    c.get(a.local)
    c.get(b.local)
    c.op(`${type}.add`)
    c.get(carryIn.local)
    if (w === 64) c.op('i64.extend_i32_u')
    c.op(`${type}.add`)
    c.set(r)
    const isNegative = (): void => {
      this.konst(w, 0)
      c.op(`${type}.lt_s`)
    }
    const place = (bit: number): void => {
      c.i32(bit)
      c.op('i32.shl')
      if (bit < 3) c.op('i32.or')
    }
    c.get(r)
    isNegative()
    place(3)
    c.get(r)
    c.op(`${type}.eqz`)
    place(2)
    // Carried when the sum is below a, or equal to it with a carry coming in.
    c.get(r)
    c.get(a.local)
    c.op(`${type}.lt_u`)
    c.get(r)
    c.get(a.local)
    c.op(`${type}.eq`)
    c.get(carryIn.local)
    c.op('i32.and')
    c.op('i32.or')
    place(1)
    for (const operand of [a, b]) {
      c.get(operand.local)
      c.get(r)
      c.op(`${type}.xor`)
    }
    c.op(`${type}.and`)
    isNegative()
    c.op('i32.or')
    this.flagsSet(PUSHED)
  }

  // ---- reading

  /** NZCV as a number, of whatever is noted. */
  flagsGet(): Pushed {
    if (this.flagState === flagKind.NZCV) {
      this.code.get(this.flagLocals.a)
      this.code.op('i32.wrap_i64')
      return PUSHED
    }
    this.storeFlags()
    this.code.call(this.resolve)
    return PUSHED
  }

  /** Notes in memory what the locals say. */
  protected storeFlags(): void {
    const c = this.code
    if (this.flagState === UNTOUCHED) return
    c.i32(0)
    if (this.flagState < 0) c.get(this.flagLocals.kind)
    else c.i32(this.flagState)
    c.memory('i32.store', scratch.FLAG_KIND)
    c.i32(0)
    c.get(this.flagLocals.a)
    c.memory('i64.store', scratch.FLAG_A)
    if (this.flagState === flagKind.NZCV || this.flagState === flagKind.LOGIC32 || this.flagState === flagKind.LOGIC64)
      return
    c.i32(0)
    c.get(this.flagLocals.b)
    c.memory('i64.store', scratch.FLAG_B)
  }

  /** The locals, from what memory notes. */
  protected loadFlags(): void {
    const c = this.code
    c.i32(0)
    c.memory('i32.load', scratch.FLAG_KIND)
    c.set(this.flagLocals.kind)
    c.i32(0)
    c.memory('i64.load', scratch.FLAG_A)
    c.set(this.flagLocals.a)
    c.i32(0)
    c.memory('i64.load', scratch.FLAG_B)
    c.set(this.flagLocals.b)
  }

  private pushNoted(local: number, w: Width): void {
    this.code.get(local)
    if (w === 32) this.code.op('i32.wrap_i64')
  }

  private pushSum(w: Width): void {
    this.pushNoted(this.flagLocals.a, w)
    this.pushNoted(this.flagLocals.b, w)
    this.code.op(w === 64 ? 'i64.add' : 'i32.add')
  }

  carry(): Pushed {
    const { code: c, flagLocals } = this
    switch (this.flagState) {
      case flagKind.SUB32:
      case flagKind.SUB64:
        c.get(flagLocals.a)
        c.get(flagLocals.b)
        c.op('i64.ge_u')
        return PUSHED
      case flagKind.ADD32:
      case flagKind.ADD64: {
        const w = this.flagState === flagKind.ADD64 ? 64 : 32
        this.pushSum(w)
        this.pushNoted(flagLocals.a, w)
        c.op(w === 64 ? 'i64.lt_u' : 'i32.lt_u')
        return PUSHED
      }
      case flagKind.LOGIC32:
      case flagKind.LOGIC64:
        return this.konst(32, 0)
      default:
        this.flagsGet()
        c.i32(1)
        c.op('i32.shr_u')
        c.i32(1)
        c.op('i32.and')
        return PUSHED
    }
  }

  condition(code: number | SmallOperand): Pushed {
    const value = typeof code === 'number' ? code : code.value
    if (value >= 14) return this.konst(32, 1)
    return this.either(value) ?? this.fused(value, this.flagState) ?? this.fromMask(value)
  }

  private fromMask(code: number): Pushed {
    this.code.i32(masks[code] ?? 0)
    this.flagsGet()
    this.code.op('i32.shr_u')
    this.code.i32(1)
    this.code.op('i32.and')
    return PUSHED
  }

  /** After a conditional compare: the condition for both of what it may have left. */
  private either(code: number): Pushed | undefined {
    const { code: c, flagLocals, flagState } = this
    if (flagState !== SUB32_OR_NZCV && flagState !== SUB64_OR_NZCV) return undefined
    const kind = flagState === SUB64_OR_NZCV ? flagKind.SUB64 : flagKind.SUB32
    if (this.fused(code, kind) === undefined) return undefined
    c.i32(masks[code] ?? 0)
    c.get(flagLocals.a)
    c.op('i32.wrap_i64')
    c.op('i32.shr_u')
    c.i32(1)
    c.op('i32.and')
    c.get(flagLocals.kind)
    c.i32(kind)
    c.op('i32.eq')
    c.op('select')
    return PUSHED
  }

  /** The condition from the operands of a kind, where that is one comparison. */
  private fused(code: number, state: FlagState): Pushed | undefined {
    const { flagLocals } = this
    switch (state) {
      case flagKind.SUB32:
      case flagKind.SUB64: {
        const w = state === flagKind.SUB64 ? 64 : 32
        const relation = AFTER_SUB[code]
        if (relation !== undefined) {
          this.pushNoted(flagLocals.a, w)
          this.pushNoted(flagLocals.b, w)
          return this.compare(relation, w, PUSHED, PUSHED)
        }
        if (code >> 1 !== 2) return undefined
        this.pushNoted(flagLocals.a, w)
        this.pushNoted(flagLocals.b, w)
        this.code.op(w === 64 ? 'i64.sub' : 'i32.sub')
        return this.compare(code === 4 ? 'ltS' : 'geS', w, PUSHED, this.konst(w, 0))
      }
      case flagKind.ADD32:
      case flagKind.ADD64: {
        const w = state === flagKind.ADD64 ? 64 : 32
        const relation = AFTER_ADD[code]
        if (relation !== undefined) {
          this.pushSum(w)
          return this.compare(relation, w, PUSHED, this.konst(w, 0))
        }
        if (code >> 1 !== 1) return undefined
        this.carry()
        return code === 2 ? PUSHED : this.isZero(32, PUSHED)
      }
      case flagKind.LOGIC32:
      case flagKind.LOGIC64: {
        const w = state === flagKind.LOGIC64 ? 64 : 32
        const relation = AFTER_LOGIC[code]
        if (typeof relation === 'boolean') return this.konst(32, relation ? 1 : 0)
        if (relation === undefined) return undefined
        this.pushNoted(flagLocals.a, w)
        return this.compare(relation, w, PUSHED, this.konst(w, 0))
      }
      default:
        return undefined
    }
  }

  override when(condition: Pushed, then: () => void, otherwise?: () => void): void {
    const before = this.flagState
    let after: FlagState = before
    this.nesting++
    super.when(
      condition,
      () => {
        then()
        after = this.flagState
        this.flagState = before
      },
      otherwise,
    )
    this.nesting--
    this.flagState = meet(after, this.flagState)
  }
}
