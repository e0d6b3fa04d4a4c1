/** Exceptions, system registers, hints and barriers (Arm ARM C4.1, "Branches, Exception Generating and System instructions"). */
import { sysregEncoding } from '../../sysregs/encoding.ts'
import { operations } from '../../sysregs/operations.ts'
import { constantAtEl1, hotReadSlot, hotWriteSlot, slotOf, sysregNamed } from '../../sysregs/table.ts'
import type { Ops } from '../ops.ts'
import { imm, small, sysregSlot, x, xd } from '../ops.ts'
import { a64 } from '../row.ts'

const SCTLR = slotOf('SCTLR_EL1')
const DZE = 14
const DAIF = slotOf('DAIF')
const DAIF_LSB = 6
const SYSREG_CONCERNS = slotOf('SYSREG_CONCERNS')
const DAIF_ENCODING = sysregNamed('DAIF').encoding

/** Whether an access at EL1 to what lies in a slot is that and nothing more. */
const isPlain = <V>(o: Ops<V>): V => o.isZero(64, o.kept(SYSREG_CONCERNS))

/** Cache maintenance that has nothing to do but to check the address. */
const cleans: ReadonlySet<number> = new Set(
  operations
    .filter(({ feature, operation }) => feature === undefined && operation.does === 'dc' && !operation.write)
    .map(({ encoding }) => encoding),
)

export const system = [
  a64('SVC', '11010100 000 iiiiiiiiiiiiiiii 000 01', 'SVC #<imm>', {
    flow: 'leave',
    operands: (f) => ({ imm: small(f.i) }),
    body: (o, _v, p) => o.call('svc', 'system', p.imm),
  }),
  a64('HVC', '11010100 000 iiiiiiiiiiiiiiii 000 10', 'HVC #<imm>', {
    flow: 'leave',
    operands: (f) => ({ imm: small(f.i) }),
    body: (o, _v, p) => o.call('hvc', 'system', p.imm),
  }),
  a64('SMC', '11010100 000 iiiiiiiiiiiiiiii 000 11', 'SMC #<imm>', {
    flow: 'leave',
    operands: (f) => ({ imm: small(f.i) }),
    body: (o, _v, p) => o.call('smc', 'system', p.imm),
  }),
  a64('BRK', '11010100 001 iiiiiiiiiiiiiiii 000 00', 'BRK #<imm>', {
    flow: 'leave',
    operands: (f) => ({ imm: small(f.i) }),
    body: (o, _v, p) => o.call('brk', 'system', p.imm),
  }),
  a64('ERET', '11010110 100 11111 000000 11111 00000', 'ERET', {
    flow: 'leave',
    operands: () => ({}),
    body: (o) => o.call('eret', 'system'),
  }),
  a64('WFE', '11010101 00000011 0010 0000 010 11111', 'WFE', {
    flow: 'leave',
    operands: () => ({}),
    body: (o) => o.call('wfe', 'system'),
  }),
  a64('WFI', '11010101 00000011 0010 0000 011 11111', 'WFI', {
    flow: 'leave',
    operands: () => ({}),
    body: (o) => o.call('wfi', 'system'),
  }),
  a64('YIELD', '11010101 00000011 0010 0000 001 11111', 'YIELD', {
    flow: 'leave',
    operands: () => ({}),
    body: (o) => o.call('yield', 'system'),
  }),
  a64('SEV/SEVL', '11010101 00000011 0010 0000 10l 11111', '{SEV|SEVL}', {
    operands: (f) => ({ local: small(f.l) }),
    body: (o, _v, p) => o.call('sev', 'system', p.local),
  }),
  // A landing pad: who comes here is checked where it comes from, see the CPU's branch-target.ts.
  a64('BTI', '11010101 00000011 0010 0100 kk0 11111', 'BTI {<targets>}', {
    feature: 'FEAT_BTI',
    operands: () => ({}),
    body: () => {},
  }),
  // What is a hint on a CPU without its feature is a row of its own where it is more than that; the rest are NOPs.
  a64('HINT', '11010101 00000011 0010 mmmm ooo 11111', 'HINT #<imm>', {
    frequent: true,
    operands: () => ({}),
    body: () => {},
  }),
  a64('CLREX', '11010101 00000011 0011 mmmm 010 11111', 'CLREX {#<imm>}', {
    operands: () => ({}),
    body: (o) => o.monitorClear(),
  }),
  // One CPU runs at a time and every access is done when its instruction is: barriers order nothing more.
  a64('DSB/DMB', '11010101 00000011 0011 mmmm 10o 11111', '{DSB|DMB} <option>', {
    frequent: true,
    operands: () => ({}),
    body: () => {},
  }),
  a64('ISB', '11010101 00000011 0011 mmmm 110 11111', 'ISB {<option>}', {
    frequent: true,
    operands: () => ({}),
    body: () => {},
  }),
  // Nothing here is done ahead of its turn.
  a64('SB', '11010101 00000011 0011 0000 111 11111', 'SB', {
    feature: 'FEAT_SB',
    operands: () => ({}),
    body: () => {},
  }),
  // Linux masks and unmasks interrupts at every turn.
  a64('MSR (DAIFSet, DAIFClr)', '11010101 00000 011 0100 mmmm 11c 11111', 'MSR <pstatefield>, #<imm>', {
    frequent: true,
    variants: 'c',
    operands: (f) => ({ field: small((3 << 3) | 6 | f.c), imm: small(f.m) }),
    body: (o, v, p) =>
      o.when(
        isPlain(o),
        () => {
          const mask = o.let(64, o.binary('shl', 64, o.imm(64, p.imm), o.konst(64, DAIF_LSB)))
          const masked = (): ReturnType<typeof o.kept> => o.binary('or', 64, o.kept(DAIF), o.use(mask))
          o.keep(DAIF, v.c === 0 ? masked() : o.binary('xor', 64, masked(), o.use(mask)))
        },
        () => o.call('msrImmediate', 'system', p.field, p.imm),
      ),
  }),
  a64('MSR (immediate)', '11010101 00000 ppp 0100 mmmm qqq 11111', 'MSR <pstatefield>, #<imm>', {
    operands: (f) => ({ field: small((f.p << 3) | f.q), imm: small(f.m) }),
    body: (o, _v, p) => o.call('msrImmediate', 'system', p.field, p.imm),
  }),
  a64('DC ZVA', '11010101 00001 011 0111 0100 001 ttttt', 'DC ZVA, <Xt>', {
    operands: (f) => ({ t: x(f.t) }),
    body: (o, _v, p) => {
      // SCTLR_EL1.DZE lets EL0 have it; whether this is EL0 the helper says.
      const enabled = o.wrap(o.binary('and', 64, o.binary('shrU', 64, o.kept(SCTLR), o.konst(64, DZE)), o.konst(64, 1)))
      o.when(o.isZero(32, o.binary('or', 32, enabled, o.atEl1h())), () => o.call('zvaTrap', 'system', p.t))
      o.argument(o.get(64, p.t))
      o.zeroBlock(o.get(64, p.t))
    },
  }),
  // Memory is always up to date. Linux cleans all code that it changes, line by line.
  a64('DC (clean)', '11010101 00001 011 0111 mmmm qqq ttttt', 'DC <dc_op>, <Xt>', {
    example: { m: 11, q: 1 },
    when: (f) => cleans.has(sysregEncoding(1, 3, 7, f.m, f.q)),
    operands: (f) => ({ reg: small(sysregEncoding(1, 3, 7, f.m, f.q)), t: x(f.t) }),
    body: (o, _v, p) =>
      o.when(
        o.binary('and', 32, o.atEl1h(), o.isReadable(o.get(64, p.t))),
        () => {},
        () => o.call('sys', 'system', p.reg, p.t),
      ),
  }),
  a64('SYS', '11010101 00001 ppp nnnn mmmm qqq ttttt', 'SYS #<op1>, <Cn>, <Cm>, #<op2>{, <Xt>}', {
    operands: (f) => ({ reg: small((1 << 14) | (f.p << 11) | (f.n << 7) | (f.m << 3) | f.q), t: x(f.t) }),
    body: (o, _v, p) => o.call('sys', 'system', p.reg, p.t),
  }),
  a64('MSR (DAIF)', '11010101 0001 1 011 0100 0010 001 ttttt', 'MSR DAIF, <Xt>', {
    frequent: true,
    operands: (f) => ({ reg: small(DAIF_ENCODING), t: x(f.t) }),
    body: (o, _v, p) =>
      o.when(
        isPlain(o),
        () => o.keep(DAIF, o.binary('and', 64, o.get(64, p.t), o.konst(64, 15 << DAIF_LSB))),
        () => o.call('msr', 'system', p.reg, p.t),
      ),
  }),
  a64('MSR (kept)', '11010101 0001 1 ppp nnnn mmmm qqq ttttt', 'MSR <sysreg>, <Xt>', {
    frequent: true,
    example: { p: 0, n: 4, m: 1, q: 0 },
    when: (f) => hotWriteSlot(sysregEncoding(3, f.p, f.n, f.m, f.q)) !== undefined,
    operands: (f) => {
      const reg = sysregEncoding(3, f.p, f.n, f.m, f.q)
      return { reg: small(reg), t: x(f.t), slot: sysregSlot(hotWriteSlot(reg) ?? 0) }
    },
    body: (o, _v, p) =>
      o.when(
        o.binary('and', 32, o.atEl1h(), isPlain(o)),
        () => o.sysregSet(p.slot, o.get(64, p.t)),
        () => o.call('msr', 'system', p.reg, p.t),
      ),
  }),
  a64('MSR (register)', '11010101 0001 o ppp nnnn mmmm qqq ttttt', 'MSR <sysreg>, <Xt>', {
    operands: (f) => ({ reg: small(((2 + f.o) << 14) | (f.p << 11) | (f.n << 7) | (f.m << 3) | f.q), t: x(f.t) }),
    body: (o, _v, p) => o.call('msr', 'system', p.reg, p.t),
  }),
  // What Linux reads at every turn has handlers of its own.
  a64('MRS (kept, EL1)', '11010101 0011 1 000 nnnn mmmm qqq ttttt', 'MRS <Xt>, <sysreg>', {
    frequent: true,
    example: { n: 4, m: 1, q: 0 },
    when: (f) => hotReadSlot(sysregEncoding(3, 0, f.n, f.m, f.q)) !== undefined,
    operands: (f) => {
      const reg = sysregEncoding(3, 0, f.n, f.m, f.q)
      return { reg: small(reg), t: xd(f.t), slot: sysregSlot(hotReadSlot(reg) ?? 0) }
    },
    body: (o, _v, p) =>
      o.when(
        o.atEl1h(),
        () => o.set(64, p.t, o.sysregGet(p.slot)),
        () => o.call('mrs', 'system', p.reg, p.t),
      ),
  }),
  a64('MRS (kept, EL0)', '11010101 0011 1 011 nnnn mmmm qqq ttttt', 'MRS <Xt>, <sysreg>', {
    frequent: true,
    example: { n: 13, m: 0, q: 2 },
    when: (f) => hotReadSlot(sysregEncoding(3, 3, f.n, f.m, f.q)) !== undefined,
    operands: (f) => ({ t: xd(f.t), slot: sysregSlot(hotReadSlot(sysregEncoding(3, 3, f.n, f.m, f.q)) ?? 0) }),
    body: (o, _v, p) => o.set(64, p.t, o.sysregGet(p.slot)),
  }),
  a64('MRS (DAIF)', '11010101 0011 1 011 0100 0010 001 ttttt', 'MRS <Xt>, DAIF', {
    frequent: true,
    operands: (f) => ({ reg: small(DAIF_ENCODING), t: xd(f.t) }),
    body: (o, _v, p) =>
      o.when(
        isPlain(o),
        () => o.set(64, p.t, o.kept(DAIF)),
        () => o.call('mrs', 'system', p.reg, p.t),
      ),
  }),
  // memset() asks for DCZID_EL0 each time, cache maintenance for CTR_EL0.
  a64('MRS (constant)', '11010101 0011 1 011 0000 0000 qqq ttttt', 'MRS <Xt>, <sysreg>', {
    example: { q: 7 },
    when: (f) => constantAtEl1(sysregEncoding(3, 3, 0, 0, f.q)) !== undefined,
    operands: (f) => {
      const reg = sysregEncoding(3, 3, 0, 0, f.q)
      return { reg: small(reg), t: xd(f.t), value: imm(constantAtEl1(reg) ?? 0n) }
    },
    body: (o, _v, p) =>
      o.when(
        o.atEl1h(),
        () => o.set(64, p.t, o.imm(64, p.value)),
        () => o.call('mrs', 'system', p.reg, p.t),
      ),
  }),
  a64('MRS', '11010101 0011 o ppp nnnn mmmm qqq ttttt', 'MRS <Xt>, <sysreg>', {
    operands: (f) => ({ reg: small(((2 + f.o) << 14) | (f.p << 11) | (f.n << 7) | (f.m << 3) | f.q), t: xd(f.t) }),
    body: (o, _v, p) => o.call('mrs', 'system', p.reg, p.t),
  }),
]
