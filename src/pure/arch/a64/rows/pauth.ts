/**
 * Pointer authentication (FEAT_PAuth; Arm ARM D8.10). The algorithm is this implementation's own, as ID_AA64ISAR1_EL1.API
 * says: three rounds of multiplication, which costs little in either tier.
 */
import { slotOf } from '../../sysregs/table.ts'
import { signExtend } from '../bitmask.ts'
import { imm, x, xd, xsp } from '../ops.ts'
import type { GprOperand, Local, Ops } from '../ops.ts'
import { a64 } from '../row.ts'
import { checkLanding } from './branch.ts'

type KeyName = 'IA' | 'IB' | 'DA' | 'DB' | 'GA'

/** SCTLR_EL1.EnIA and the like. */
const ENABLE = { IA: 31, IB: 30, DA: 27, DB: 13 } as const
type AddressKey = keyof typeof ENABLE
const KEYS: readonly AddressKey[] = ['IA', 'IB', 'DA', 'DB']
const keyOf = (d: number, b: number): AddressKey => KEYS[2 * d + b] ?? 'IA'

const SCTLR = slotOf('SCTLR_EL1')
/** The bits of an address that its code takes, bit 55 among them, for lower and upper addresses; and which bit tells those apart. */
const FIELD = {
  I: { lower: slotOf('PAC_FIELD_I0'), upper: slotOf('PAC_FIELD_I1'), selector: slotOf('PAC_SELECTOR_I') },
  D: { lower: slotOf('PAC_FIELD_D0'), upper: slotOf('PAC_FIELD_D1'), selector: slotOf('PAC_SELECTOR_D') },
} as const
const fieldOf = (key: AddressKey): (typeof FIELD)['I' | 'D'] => FIELD[key.startsWith('I') ? 'I' : 'D']

const BIT_55 = 1n << 55n
const LR = 30
const SP = 31
const ZR = 31

const shifted = <V>(o: Ops<V>, a: Local, op: 'shrU' | 'xorShift', by: number): V => {
  const moved = o.binary('shrU', 64, o.use(a), o.konst(64, by))
  return op === 'shrU' ? moved : o.binary('xor', 64, moved, o.use(a))
}

/** ComputePAC(): 64 bits from a pointer, a modifier and a key of 128 bits. */
function computePac<V>(o: Ops<V>, key: KeyName, pointer: Local, modifier: Local): V {
  const low = o.kept(slotOf(`AP${key}KeyLo_EL1`))
  let h = o.let(64, o.binary('mul', 64, o.binary('xor', 64, low, o.use(pointer)), o.konst(64, 0x9e3779b97f4a7c15n)))
  h = o.let(64, shifted(o, h, 'xorShift', 32))
  const mixed = o.binary('add', 64, o.use(h), o.use(modifier))
  h = o.let(64, o.binary('mul', 64, mixed, o.konst(64, 0xbf58476d1ce4e5b9n)))
  h = o.let(64, shifted(o, h, 'xorShift', 29))
  const high = o.binary('add', 64, o.use(h), o.kept(slotOf(`AP${key}KeyHi_EL1`)))
  h = o.let(64, o.binary('mul', 64, high, o.konst(64, 0x94d049bb133111ebn)))
  return shifted(o, h, 'xorShift', 32)
}

/** All ones or all zero: copies of one bit of an address. */
function spread<V>(o: Ops<V>, address: Local, at: () => V): V {
  const zero = o.konst(64, 0)
  return o.binary('sub', 64, zero, o.binary('and', 64, o.binary('shrU', 64, o.use(address), at()), o.konst(64, 1)))
}

/** The field of the half of the address space that `upper` says. */
const fieldIn = <V>(o: Ops<V>, key: AddressKey, upper: Local): V => {
  const [yes, no] = [o.kept(fieldOf(key).upper), o.kept(fieldOf(key).lower)]
  return o.select(64, yes, no, o.wrap(o.use(upper)))
}

/** The address with its field filled with copies of the bit that says which half it is in. */
const extendedAddress = <V>(o: Ops<V>, address: Local, field: Local, upper: Local): V => {
  const others = o.binary('and', 64, o.use(address), o.unary('not', 64, o.use(field)))
  return o.binary('or', 64, others, o.binary('and', 64, o.use(upper), o.use(field)))
}

/** 0, or 8 where the top byte is part of the field: how much higher its parts are. */
const raised = <V>(o: Ops<V>, field: Local): V => o.binary('shl', 64, shifted(o, field, 'shrU', 63), o.konst(64, 3))

/** AddPAC(). */
function sign<V>(o: Ops<V>, key: AddressKey, address: Local, modifier: Local): V {
  const upper = o.let(
    64,
    spread(o, address, () => o.kept(fieldOf(key).selector)),
  )
  const field = o.let(64, fieldIn(o, key, upper))
  const pointer = o.let(64, extendedAddress(o, address, field, upper))
  const code = o.let(64, computePac(o, key, pointer, modifier))
  // An address that is not a proper one gets a code that does not fit: its second bit from the top is the wrong one.
  const present = o.let(64, o.binary('and', 64, o.use(address), o.use(field)))
  const empty = o.binary('or', 32, o.isZero(64, o.use(present)), o.compare('eq', 64, o.use(present), o.use(field)))
  const spoilt = o.binary('shl', 64, o.widen(false, o.binary('xor', 32, empty, o.konst(32, 1))), o.konst(64, 54))
  const given = o.let(64, o.binary('xor', 64, o.binary('shl', 64, spoilt, raised(o, field)), o.use(code)))
  const others = o.binary('and', 64, o.use(address), o.unary('not', 64, o.use(field)))
  const half = o.binary('and', 64, o.use(upper), o.konst(64, BIT_55))
  const inField = o.binary('and', 64, o.binary('and', 64, o.use(given), o.use(field)), o.konst(64, ~BIT_55))
  return o.binary('or', 64, o.binary('or', 64, others, half), inField)
}

/** Strip(): the address without its code, by the field that bit 55 selects. */
function stripped<V>(o: Ops<V>, key: AddressKey, address: Local): { readonly field: Local; readonly pointer: Local } {
  const upper = o.let(
    64,
    spread(o, address, () => o.konst(64, 55)),
  )
  const field = o.let(64, fieldIn(o, key, upper))
  return { field, pointer: o.let(64, extendedAddress(o, address, field, upper)) }
}

/** Auth(): an address whose code is wrong becomes one that faults, with the key's number in it. */
function authenticated<V>(o: Ops<V>, key: AddressKey, address: Local, modifier: Local): V {
  const { field, pointer } = stripped(o, key, address)
  const code = computePac(o, key, pointer, modifier)
  const wrong = o.binary('and', 64, o.binary('xor', 64, code, o.use(address)), o.use(field))
  const fits = o.let(32, o.isZero(64, o.binary('and', 64, wrong, o.konst(64, ~BIT_55))))
  const at = o.let(64, o.binary('add', 64, raised(o, field), o.konst(64, 53)))
  const cleared = o.binary(
    'and',
    64,
    o.use(pointer),
    o.unary('not', 64, o.binary('shl', 64, o.konst(64, 3), o.use(at))),
  )
  const error = o.binary('shl', 64, o.konst(64, key.endsWith('A') ? 1 : 2), o.use(at))
  const failed = o.let(64, o.binary('or', 64, cleared, error))
  return o.select(64, o.use(pointer), o.use(failed), o.use(fits))
}

/** What a key does where SCTLR_EL1 has it enabled; the address itself where not. */
function withKey<V>(o: Ops<V>, key: AddressKey, address: Local, work: () => V): V {
  const made = o.let(64, work())
  const enabled = o.wrap(
    o.binary('and', 64, o.binary('shrU', 64, o.kept(SCTLR), o.konst(64, ENABLE[key])), o.konst(64, 1)),
  )
  const condition = o.let(32, enabled)
  return o.select(64, o.use(made), o.use(address), o.use(condition))
}

type Work = <V>(o: Ops<V>, key: AddressKey, address: Local, modifier: Local) => V

const inPlace = <V>(
  o: Ops<V>,
  work: Work,
  key: AddressKey,
  source: GprOperand,
  dest: GprOperand,
  modifier: V,
): void => {
  const m = o.let(64, modifier)
  const address = o.let(64, o.get(64, source))
  o.set(
    64,
    dest,
    withKey(o, key, address, () => work(o, key, address, m)),
  )
}

/** PACIASP, AUTIB1716 and the others in the hint space: on a CPU without the feature they are NOPs. */
const hint = (name: string, number: number, work: Work, key: AddressKey, on: 'zero' | 'sp' | '1716') => {
  const bits = number.toString(2).padStart(7, '0')
  return a64(name, `11010101 00000011 0010 ${bits} 11111`, name, {
    feature: 'FEAT_PAuth',
    operands: () =>
      on === '1716' ? { s: x(17), d: xd(17), m: x(16) } : { s: x(LR), d: xd(LR), m: on === 'sp' ? xsp(SP) : x(ZR) },
    body: (o, _v, p) => inPlace(o, work, key, p.s, p.d, o.get(64, p.m)),
  })
}

const hints = (['IA', 'IB'] as const).flatMap((key, b) => [
  hint(`PAC${key}1716`, 8 + 2 * b, sign, key, '1716'),
  hint(`AUT${key}1716`, 12 + 2 * b, authenticated, key, '1716'),
  hint(`PAC${key}Z`, 24 + 2 * b, sign, key, 'zero'),
  hint(`PAC${key}SP`, 25 + 2 * b, sign, key, 'sp'),
  hint(`AUT${key}Z`, 28 + 2 * b, authenticated, key, 'zero'),
  hint(`AUT${key}SP`, 29 + 2 * b, authenticated, key, 'sp'),
])

/** `z`: the modifier is zero. `D`: a key for data. `B`: the second key. */
const oneSource = (name: string, work: Work, a: 0 | 1) => [
  a64(
    `${name}IA/${name}IB/${name}DA/${name}DB`,
    `1 1 0 11010110 00001 000 ${a} DB nnnnn ddddd`,
    `${name}{IA|IB|DA|DB} <Xd>, <Xn|SP>`,
    {
      variants: 'DB',
      feature: 'FEAT_PAuth',
      operands: (f) => ({ s: x(f.d), d: xd(f.d), n: xsp(f.n) }),
      body: (o, v, p) => inPlace(o, work, keyOf(v.D, v.B), p.s, p.d, o.get(64, p.n)),
    },
  ),
  a64(
    `${name}IZA/${name}IZB/${name}DZA/${name}DZB`,
    `1 1 0 11010110 00001 001 ${a} DB 11111 ddddd`,
    `${name}{IZA|IZB|DZA|DZB} <Xd>`,
    {
      variants: 'DB',
      feature: 'FEAT_PAuth',
      operands: (f) => ({ s: x(f.d), d: xd(f.d) }),
      body: (o, v, p) => inPlace(o, work, keyOf(v.D, v.B), p.s, p.d, o.konst(64, 0)),
    },
  ),
]

const strip = <V>(o: Ops<V>, key: AddressKey, source: GprOperand, dest: GprOperand): void =>
  o.set(64, dest, o.use(stripped(o, key, o.let(64, o.get(64, source))).pointer))

/** A branch to an authenticated address. `zero`: the modifier is zero, and register 31 stands in its place. */
const branch = (name: string, zero: boolean, op: '00' | '01', kind: 'jump' | 'call') =>
  a64(
    zero ? `${name}AZ/${name}BZ` : `${name}A/${name}B`,
    `1101011 ${zero ? 0 : 1} 0 ${op} 11111 00001 B nnnnn ${zero ? '11111' : 'mmmmm'}`,
    zero ? `${name}{AZ|BZ} <Xn>` : `${name}{A|B} <Xn>, <Xm|SP>`,
    {
      variants: 'B',
      feature: 'FEAT_PAuth',
      flow: 'indirect',
      operands: (f: Readonly<Record<string, number>>) => ({
        n: x(f['n'] ?? 0),
        m: zero ? x(ZR) : xsp(f['m'] ?? 0),
        link: xd(LR),
      }),
      body: (o, v: Readonly<Record<string, number>>, p) => {
        const key = v['B'] === 1 ? 'IB' : 'IA'
        const modifier = o.let(64, o.get(64, p.m))
        const address = o.let(64, o.get(64, p.n))
        const target = o.let(
          64,
          withKey(o, key, address, () => authenticated(o, key, address, modifier)),
        )
        checkLanding(o, kind, p.n, target)
        if (kind === 'call') o.set(64, p.link, o.nextPc())
        o.jumpTo(o.use(target), kind)
      },
    },
  )

export const pauth = [
  ...hints,
  a64('XPACLRI', '11010101 00000011 0010 0000 111 11111', 'XPACLRI', {
    feature: 'FEAT_PAuth',
    operands: () => ({ s: x(LR), d: xd(LR) }),
    body: (o, _v, p) => strip(o, 'IA', p.s, p.d),
  }),
  ...oneSource('PAC', sign, 0),
  ...oneSource('AUT', authenticated, 1),
  a64('XPACI/XPACD', '1 1 0 11010110 00001 01000 D 11111 ddddd', '{XPACI|XPACD} <Xd>', {
    variants: 'D',
    feature: 'FEAT_PAuth',
    operands: (f) => ({ s: x(f.d), d: xd(f.d) }),
    body: (o, v, p) => strip(o, v.D === 1 ? 'DA' : 'IA', p.s, p.d),
  }),
  a64('PACGA', '1 00 11010110 mmmmm 001100 nnnnn ddddd', 'PACGA <Xd>, <Xn>, <Xm|SP>', {
    feature: 'FEAT_PAuth',
    operands: (f) => ({ d: xd(f.d), n: x(f.n), m: xsp(f.m) }),
    body: (o, _v, p) => {
      const pointer = o.let(64, o.get(64, p.n))
      const modifier = o.let(64, o.get(64, p.m))
      o.set(64, p.d, o.binary('and', 64, computePac(o, 'GA', pointer, modifier), o.konst(64, 0xffff_ffff_0000_0000n)))
    },
  }),
  branch('BRA', false, '00', 'jump'),
  branch('BRA', true, '00', 'jump'),
  branch('BLRA', false, '01', 'call'),
  branch('BLRA', true, '01', 'call'),
  a64('RETAA/RETAB', '1101011 0 0 10 11111 00001 B 11111 11111', '{RETAA|RETAB}', {
    variants: 'B',
    feature: 'FEAT_PAuth',
    flow: 'indirect',
    operands: () => ({ n: x(LR), m: xsp(SP) }),
    body: (o, v, p) => {
      const key = v.B === 1 ? 'IB' : 'IA'
      const modifier = o.let(64, o.get(64, p.m))
      const address = o.let(64, o.get(64, p.n))
      o.jumpTo(
        withKey(o, key, address, () => authenticated(o, key, address, modifier)),
        'return',
      )
    },
  }),
  a64('ERETAA/ERETAB', '1101011 0100 11111 00001 B 11111 11111', '{ERETAA|ERETAB}', {
    variants: 'B',
    feature: 'FEAT_PAuth',
    flow: 'leave',
    operands: () => ({ m: xsp(SP) }),
    body: (o, v, p) => {
      const key = v.B === 1 ? 'IB' : 'IA'
      const modifier = o.let(64, o.get(64, p.m))
      const address = o.let(64, o.kept(slotOf('ELR_EL1')))
      o.argument(withKey(o, key, address, () => authenticated(o, key, address, modifier)))
      o.call('eretTo', 'system')
    },
  }),
  a64('LDRAA/LDRAB', '11 111 0 00 B s 1 iiiiiiiii w 1 nnnnn ttttt', '{LDRAA|LDRAB} <Xt>, [<Xn|SP>{, #<simm>}]{!}', {
    variants: 'Bw',
    feature: 'FEAT_PAuth',
    operands: (f) => ({ t: xd(f.t), n: xsp(f.n), offset: imm(signExtend((f.s << 9) | f.i, 10) * 8) }),
    body: (o, v, p) => {
      const key = v.B === 1 ? 'DB' : 'DA'
      const zero = o.let(64, o.konst(64, 0))
      const base = o.let(64, o.base(p.n))
      const address = withKey(o, key, base, () => authenticated(o, key, base, zero))
      const moved = o.let(64, o.binary('add', 64, address, o.imm(64, p.offset)))
      const loaded = o.let(64, o.load('u64', 64, o.use(moved)))
      if (v.w === 1) o.set(64, p.n, o.use(moved))
      o.set(64, p.t, o.use(loaded))
    },
  }),
]
