/** Branches (Arm ARM C4.1, "Branches, Exception Generating and System instructions", the branches). */
import { signExtend } from '../bitmask.ts'
import { imm, small, x, xd } from '../ops.ts'
import type { GprOperand, Local, Ops } from '../ops.ts'
import { a64 } from '../row.ts'

const LR = 30

/** Branch target identification: whether a branch to the address in a register may lead there. */
export function checkLanding<V>(o: Ops<V>, kind: 'jump' | 'call', n: GprOperand, target: Local): void {
  o.argument(o.use(target))
  o.call('checkLanding', 'system', kind === 'call' ? 1 : 0, n)
}

export const branch = [
  a64('B', '0 00101 iiiiiiiiiiiiiiiiiiiiiiiiii', 'B <label>', {
    frequent: true,
    flow: 'jump',
    target: 'offset',
    operands: (f) => ({ offset: imm(signExtend(f.i, 26) * 4) }),
    body: (o, _v, p) => o.jump(p.offset),
  }),
  a64('BL', '1 00101 iiiiiiiiiiiiiiiiiiiiiiiiii', 'BL <label>', {
    frequent: true,
    flow: 'call',
    target: 'offset',
    operands: (f) => ({ link: xd(LR), offset: imm(signExtend(f.i, 26) * 4) }),
    body: (o, _v, p) => {
      o.set(64, p.link, o.nextPc())
      o.jump(p.offset, 'call')
    },
  }),
  a64('B.cond', '0101010 0 iiiiiiiiiiiiiiiiiii 0 cccc', 'B.<cond> <label>', {
    variants: 'c',
    frequent: true,
    flow: 'branch',
    target: 'offset',
    operands: (f) => ({ offset: imm(signExtend(f.i, 19) * 4) }),
    body: (o, v, p) => o.jumpIf(o.condition(v.c), p.offset),
  }),
  a64('CBZ/CBNZ', 'z 011010 o iiiiiiiiiiiiiiiiiii ttttt', '{CBZ|CBNZ} <t>, <label>', {
    variants: 'zo',
    frequent: true,
    flow: 'branch',
    target: 'offset',
    operands: (f) => ({ t: x(f.t), offset: imm(signExtend(f.i, 19) * 4) }),
    body: (o, v, p) => {
      const w = v.z === 1 ? 64 : 32
      const zero = o.isZero(w, o.get(w, p.t))
      o.jumpIf(v.o === 1 ? o.isZero(32, zero) : zero, p.offset)
    },
  }),
  a64('TBZ/TBNZ', 'b 011011 o ccccc iiiiiiiiiiiiii ttttt', '{TBZ|TBNZ} <t>, #<bit>, <label>', {
    variants: 'o',
    frequent: true,
    flow: 'branch',
    target: 'offset',
    operands: (f) => ({ t: x(f.t), bit: small((f.b << 5) | f.c), offset: imm(signExtend(f.i, 14) * 4) }),
    body: (o, v, p) => {
      const shifted = o.binary('shrU', 64, o.get(64, p.t), o.imm(64, p.bit))
      const bit = o.binary('and', 32, o.wrap(shifted), o.konst(32, 1))
      o.jumpIf(v.o === 1 ? bit : o.isZero(32, bit), p.offset)
    },
  }),
  // A CPU with FEAT_BTI looks at where it goes before it goes there.
  a64('BR (checked)', '1101011 0000 11111 000000 nnnnn 00000', 'BR <Xn>', {
    feature: 'FEAT_BTI',
    flow: 'indirect',
    operands: (f) => ({ n: x(f.n) }),
    body: (o, _v, p) => {
      const target = o.let(64, o.get(64, p.n))
      checkLanding(o, 'jump', p.n, target)
      o.jumpTo(o.use(target), 'jump')
    },
  }),
  a64('BLR (checked)', '1101011 0001 11111 000000 nnnnn 00000', 'BLR <Xn>', {
    feature: 'FEAT_BTI',
    flow: 'indirect',
    operands: (f) => ({ n: x(f.n), link: xd(LR) }),
    body: (o, _v, p) => {
      const target = o.let(64, o.get(64, p.n))
      checkLanding(o, 'call', p.n, target)
      o.set(64, p.link, o.nextPc())
      o.jumpTo(o.use(target), 'call')
    },
  }),
  a64('BR', '1101011 0000 11111 000000 nnnnn 00000', 'BR <Xn>', {
    frequent: true,
    flow: 'indirect',
    operands: (f) => ({ n: x(f.n) }),
    body: (o, _v, p) => o.jumpTo(o.get(64, p.n), 'jump'),
  }),
  a64('BLR', '1101011 0001 11111 000000 nnnnn 00000', 'BLR <Xn>', {
    frequent: true,
    flow: 'call',
    operands: (f) => ({ n: x(f.n), link: xd(LR) }),
    body: (o, _v, p) => {
      const target = o.let(64, o.get(64, p.n))
      o.set(64, p.link, o.nextPc())
      o.jumpTo(o.use(target), 'call')
    },
  }),
  a64('RET', '1101011 0010 11111 000000 nnnnn 00000', 'RET {<Xn>}', {
    frequent: true,
    flow: 'indirect',
    operands: (f) => ({ n: x(f.n) }),
    body: (o, _v, p) => o.jumpTo(o.get(64, p.n), 'return'),
  }),
]
