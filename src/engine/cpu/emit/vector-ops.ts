/** Instruction bodies written as WebAssembly, the part that works on vector registers. */
import type {
  HostFloat,
  LaneExtract,
  LaneShape,
  LaneShift,
  Local,
  VecOperand,
  VectorOp,
} from '../../../pure/arch/a64/ops.ts'
import { fusesMultiplyAdd } from '../../wasm/host.ts'
import type { VectorOpcode } from '../../wasm/opcodes.ts'
import { bank } from '../layout.ts'
import { ArithmeticOps, PUSHED } from './arithmetic-ops.ts'
import type { Pushed } from './arithmetic-ops.ts'

/** FZ and FZ16. */
const FPCR_FLUSHES = (1 << 24) | (1 << 19)
const FPCR_RMODE = 3 << 22
const FPSR_IXC = 1 << 4
const FPSR_QC = 1 << 27

const EXTRACT: Record<LaneExtract, VectorOpcode> = {
  i8x16_s: 'i8x16.extract_lane_s',
  i8x16_u: 'i8x16.extract_lane_u',
  i16x8_s: 'i16x8.extract_lane_s',
  i16x8_u: 'i16x8.extract_lane_u',
  i32x4: 'i32x4.extract_lane',
  i64x2: 'i64x2.extract_lane',
}

export abstract class VectorOps extends ArithmeticOps {
  abstract vget(reg: VecOperand): Pushed
  abstract vset(reg: VecOperand, value: Pushed): void

  vsetLow(bytes: 1 | 2 | 4 | 8 | 16, reg: VecOperand, value: Pushed): void {
    if (bytes < 16) {
      this.vconst((1n << BigInt(8 * bytes)) - 1n, 0n)
      this.code.vector('v128.and')
    }
    this.vset(reg, value)
  }

  vector(op: VectorOp, ..._args: readonly Pushed[]): Pushed {
    this.code.vector(op)
    return PUSHED
  }

  vconst(low: bigint, high: bigint): Pushed {
    this.code.vector('v128.const')
    for (const half of [low, high]) for (let i = 0n; i < 64n; i += 8n) this.code.byte(Number((half >> i) & 0xffn))
    return PUSHED
  }

  shuffle(indexes: readonly number[], _a: Pushed, _b: Pushed): Pushed {
    this.code.vector('i8x16.shuffle')
    for (const index of indexes) this.code.byte(index)
    return PUSHED
  }

  laneShift(op: LaneShift, _a: Pushed, _amount: Pushed): Pushed {
    this.code.vector(op)
    return PUSHED
  }

  splat(lane: LaneShape, _value: Pushed): Pushed {
    this.code.vector(`${lane}.splat`)
    return PUSHED
  }

  extractLane(lane: LaneExtract, index: number, _a: Pushed): Pushed {
    this.code.vectorLane(EXTRACT[lane], index)
    return PUSHED
  }

  replaceLane(lane: LaneShape, index: number, _a: Pushed, _value: Pushed): Pushed {
    this.code.vectorLane(`${lane}.replace_lane`, index)
    return PUSHED
  }

  hostMultiplyAdd(shape: 'f32x4' | 'f64x2', a: Local, b: Local, c: Local): Pushed | undefined {
    if (!fusesMultiplyAdd()) return undefined
    for (const operand of [a, b, c]) this.code.get(operand.local)
    this.code.vector(`${shape}.relaxed_madd`)
    return PUSHED
  }

  hostFloat(needs: HostFloat): Pushed {
    const c = this.code
    c.i32(0)
    c.memory('i32.load', bank.FPCR)
    if (needs !== 'nearest') {
      c.i32(needs === 'unflushed' ? FPCR_FLUSHES : FPCR_FLUSHES | FPCR_RMODE)
      c.op('i32.and')
      c.op('i32.eqz')
      return PUSHED
    }
    c.i32(FPCR_FLUSHES | FPCR_RMODE)
    c.op('i32.and')
    c.i32(0)
    c.memory('i32.load', bank.FPSR)
    c.i32(FPSR_IXC)
    c.op('i32.and')
    c.op('i32.or')
    c.i32(FPSR_IXC)
    c.op('i32.eq')
    return PUSHED
  }

  saturationNoted(): Pushed {
    this.code.i32(0)
    this.code.memory('i32.load', bank.FPSR)
    this.code.i32(FPSR_QC)
    this.code.op('i32.and')
    return PUSHED
  }

  doubleFromInteger(signed: boolean, _value: Pushed): Pushed {
    this.code.op(signed ? 'f64.convert_i64_s' : 'f64.convert_i64_u')
    this.code.vector('f64x2.splat')
    return PUSHED
  }

  integerFromDouble(signed: boolean, _value: Pushed): Pushed {
    this.code.vectorLane('f64x2.extract_lane', 0)
    // i64.trunc_sat_f64: 0xfc 6 and 7.
    this.code.byte(0xfc)
    this.code.unsigned(signed ? 6 : 7)
    return PUSHED
  }

  vectorBitSelect(_set: Pushed, _clear: Pushed, _mask: Pushed): Pushed {
    this.code.vector('v128.bitselect')
    return PUSHED
  }
}
