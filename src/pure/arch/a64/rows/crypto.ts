/** The cryptographic extensions (Arm ARM C4.1, "Cryptographic AES" to "Cryptographic three-register, imm6"). */
import type { Feature } from '../../cpu/features.ts'
import { aesd, aese, aesimc, aesmc } from '../crypto/aes.ts'
import { doublewordProduct } from '../crypto/polynomial.ts'
import {
  sha1c,
  sha1h,
  sha1m,
  sha1p,
  sha1su0,
  sha1su1,
  sha256h,
  sha256h2,
  sha256su0,
  sha256su1,
  sha512h,
  sha512h2,
  sha512su0,
  sha512su1,
} from '../crypto/sha.ts'
import type { Three, Two } from '../crypto/sha.ts'
import { small, vr } from '../ops.ts'
import type { Ops, VecOperand } from '../ops.ts'
import { a64 } from '../row.ts'
import type { Row } from '../row.ts'

const fp = true

const two = (f: { d: number; n: number }) => ({ d: vr(f.d), n: vr(f.n) })
const three = (f: { d: number; n: number; m: number }) => ({ ...two(f), m: vr(f.m) })
const four = (f: { d: number; n: number; m: number; a: number }) => ({ ...three(f), a: vr(f.a) })

/** `long`: see RowSpec. */
type Step<P> = readonly [name: string, feature: Feature, body: <V>(o: Ops<V>, p: P) => void, long?: 'long']

const AES: readonly Step<Two>[] = [
  ['AESE', 'FEAT_AES', aese, 'long'],
  ['AESD', 'FEAT_AES', aesd, 'long'],
  ['AESMC', 'FEAT_AES', aesmc],
  ['AESIMC', 'FEAT_AES', aesimc],
]
const aes: Row[] = AES.map(([name, feature, step, long], i) =>
  a64(name, '01001110 00 10100 ooooo 10 nnnnn ddddd', `${name} <Vd>.16B, <Vn>.16B`, {
    fixed: { o: 4 + i },
    feature,
    fp,
    long: long !== undefined,
    operands: two,
    body: (o, _v, p) => step(o, p),
  }),
)

const WORDS = '<Vd>.4S, <Vn>.4S, <Vm>.4S'
const SHA_THREE: readonly (readonly [syntax: string, ...Step<Three>])[] = [
  ['Q<d>, S<n>, <Vm>.4S', 'SHA1C', 'FEAT_SHA1', sha1c, 'long'],
  ['Q<d>, S<n>, <Vm>.4S', 'SHA1P', 'FEAT_SHA1', sha1p, 'long'],
  ['Q<d>, S<n>, <Vm>.4S', 'SHA1M', 'FEAT_SHA1', sha1m, 'long'],
  [WORDS, 'SHA1SU0', 'FEAT_SHA1', sha1su0],
  ['Q<d>, Q<n>, <Vm>.4S', 'SHA256H', 'FEAT_SHA256', sha256h, 'long'],
  ['Q<d>, Q<n>, <Vm>.4S', 'SHA256H2', 'FEAT_SHA256', sha256h2, 'long'],
  [WORDS, 'SHA256SU1', 'FEAT_SHA256', sha256su1],
]
const SHA_TWO: readonly (readonly [syntax: string, ...Step<Two>])[] = [
  ['S<d>, S<n>', 'SHA1H', 'FEAT_SHA1', sha1h],
  ['<Vd>.4S, <Vn>.4S', 'SHA1SU1', 'FEAT_SHA1', sha1su1],
  ['<Vd>.4S, <Vn>.4S', 'SHA256SU0', 'FEAT_SHA256', sha256su0],
]
const sha: Row[] = [
  ...SHA_THREE.map(([syntax, name, feature, step, long], o) =>
    a64(name, '01011110 000 mmmmm 0 ooo 00 nnnnn ddddd', `${name} ${syntax}`, {
      fixed: { o },
      feature,
      fp,
      long: long !== undefined,
      operands: three,
      body: (ops, _v, p) => step(ops, p),
    }),
  ),
  ...SHA_TWO.map(([syntax, name, feature, step], o) =>
    a64(name, '01011110 00 10100 ooooo 10 nnnnn ddddd', `${name} ${syntax}`, {
      fixed: { o },
      feature,
      fp,
      operands: two,
      body: (ops, _v, p) => step(ops, p),
    }),
  ),
]

/** A step that is called out for, by its name. */
const helped =
  (name: string) =>
  <V>(o: Ops<V>, p: Two | Three): void =>
    o.call(name, 'pure', ...Object.values(p))

/** `code`: bits 15 to 10 of the three-register instructions. */
const LATER_THREE: readonly (readonly [code: number, syntax: string, ...Step<Three>])[] = [
  [0b100000, 'Q<d>, Q<n>, <Vm>.2D', 'SHA512H', 'FEAT_SHA512', sha512h],
  [0b100001, 'Q<d>, Q<n>, <Vm>.2D', 'SHA512H2', 'FEAT_SHA512', sha512h2],
  [0b100010, '<Vd>.2D, <Vn>.2D, <Vm>.2D', 'SHA512SU1', 'FEAT_SHA512', sha512su1],
  [0b110000, WORDS, 'SM3PARTW1', 'FEAT_SM3', helped('SM3PARTW1')],
  [0b110001, WORDS, 'SM3PARTW2', 'FEAT_SM3', helped('SM3PARTW2')],
  [0b110010, WORDS, 'SM4EKEY', 'FEAT_SM4', helped('SM4EKEY')],
]
const LATER_TWO: readonly (readonly [syntax: string, ...Step<Two>])[] = [
  ['<Vd>.2D, <Vn>.2D', 'SHA512SU0', 'FEAT_SHA512', sha512su0],
  ['<Vd>.4S, <Vn>.4S', 'SM4E', 'FEAT_SM4', helped('SM4E')],
]
const SM3_TURNS = ['SM3TT1A', 'SM3TT1B', 'SM3TT2A', 'SM3TT2B'] as const

const later: Row[] = [
  ...LATER_THREE.map(([o, syntax, name, feature, step]) =>
    a64(name, '11001110 011 mmmmm oooooo nnnnn ddddd', `${name} ${syntax}`, {
      fixed: { o },
      feature,
      fp,
      operands: three,
      body: (ops, _v, p) => step(ops, p),
    }),
  ),
  ...LATER_TWO.map(([syntax, name, feature, step], o) =>
    a64(name, '11001110 110 00000 1000 oo nnnnn ddddd', `${name} ${syntax}`, {
      fixed: { o },
      feature,
      fp,
      operands: two,
      body: (ops, _v, p) => step(ops, p),
    }),
  ),
  ...SM3_TURNS.map((name, o) =>
    a64(name, '11001110 010 mmmmm 10 ii oo nnnnn ddddd', `${name} <Vd>.4S, <Vn>.4S, <Vm>.S[<imm2>]`, {
      fixed: { o },
      feature: 'FEAT_SM3',
      fp,
      operands: (f) => ({ ...three(f), index: small(f.i) }),
      body: (ops, _v, p) => ops.call(name, 'pure', p.d, p.n, p.m, p.index),
    }),
  ),
  a64('SM3SS1', '11001110 010 mmmmm 0 aaaaa nnnnn ddddd', 'SM3SS1 <Vd>.4S, <Vn>.4S, <Vm>.4S, <Va>.4S', {
    feature: 'FEAT_SM3',
    fp,
    operands: four,
    body: (o, _v, p) => o.call('SM3SS1', 'pure', p.d, p.n, p.m, p.a),
  }),
]

/** Lanes of 64 bits rotated left. */
function rotated<V>(o: Ops<V>, push: () => V, left: () => V, right: () => V): V {
  const up = o.laneShift('i64x2.shl', push(), left())
  return o.vector('v128.or', up, o.laneShift('i64x2.shr_u', push(), right()))
}

type Four = { d: VecOperand; n: VecOperand; m: VecOperand; a: VecOperand }
const SHA3_FOUR: readonly (readonly [string, number, <V>(o: Ops<V>, p: Four) => V])[] = [
  ['EOR3', 0, (o, p) => o.vector('v128.xor', o.vector('v128.xor', o.vget(p.n), o.vget(p.m)), o.vget(p.a))],
  ['BCAX', 1, (o, p) => o.vector('v128.xor', o.vget(p.n), o.vector('v128.andnot', o.vget(p.m), o.vget(p.a)))],
]
const sha3: Row[] = [
  ...SHA3_FOUR.map(([name, op, value]) =>
    a64(name, '11001110 0 oo mmmmm 0 aaaaa nnnnn ddddd', `${name} <Vd>.16B, <Vn>.16B, <Vm>.16B, <Va>.16B`, {
      fixed: { o: op },
      feature: 'FEAT_SHA3',
      fp,
      operands: four,
      body: (o, _v, p) => o.vset(p.d, value(o, p)),
    }),
  ),
  a64('RAX1', '11001110 011 mmmmm 100011 nnnnn ddddd', 'RAX1 <Vd>.2D, <Vn>.2D, <Vm>.2D', {
    feature: 'FEAT_SHA3',
    fp,
    operands: three,
    body: (o, _v, p) => {
      const n = o.vget(p.n)
      const turned = rotated(
        o,
        () => o.vget(p.m),
        () => o.konst(32, 1),
        () => o.konst(32, 63),
      )
      o.vset(p.d, o.vector('v128.xor', n, turned))
    },
  }),
  a64('XAR', '11001110 100 mmmmm iiiiii nnnnn ddddd', 'XAR <Vd>.2D, <Vn>.2D, <Vm>.2D, #<imm6>', {
    feature: 'FEAT_SHA3',
    fp,
    // A rotation to the right, that is one to the left by what is left of 64.
    operands: (f) => ({ ...three(f), left: small((64 - f.i) % 64), right: small(f.i) }),
    body: (o, _v, p) => {
      const both = o.let(128, o.vector('v128.xor', o.vget(p.n), o.vget(p.m)))
      o.vset(
        p.d,
        rotated(
          o,
          () => o.use(both),
          () => o.imm(32, p.left),
          () => o.imm(32, p.right),
        ),
      )
    },
  }),
]

export const crypto: readonly Row[] = [
  ...aes,
  a64('PMULL (doublewords)', '0 Q 0 01110 11 1 mmmmm 1110 00 nnnnn ddddd', 'PMULL{2} <Vd>.1Q, <Vn>.<T3>, <Vm>.<T3>', {
    variants: 'Q',
    feature: 'FEAT_PMULL',
    fp,
    long: true,
    operands: three,
    body: (o, v, p) => {
      const n = o.let(128, o.vget(p.n))
      o.vset(p.d, doublewordProduct(o, v.Q, n, o.let(128, o.vget(p.m))))
    },
  }),
  ...sha,
  ...sha3,
  ...later,
]
