/**
 * The forms of floating-point and AdvSIMD instructions, out of the syntax that their rows give. In it stand, as in the
 * manual, where the field named in small letters is a register's number:
 *
 *     <Vd>.<T>       a vector of elements of the row's size, <Tb> half of one (Q says which), <Ta> one of elements
 *                    twice as large, <Tp> of those half as many; <T0>, <T2>: of bytes and of words whatever the size;
 *                    <T-> and <T+>: of halfwords and words (z = 0) or words and doublewords
 *     <V><d>         a scalar of the row's size, <Va><d> of twice that; <F><d> and <G><d> by ptype and opc
 *     W<d> X<d> S<d> a register of that width, <R><d> of the width that bit 31 says
 *     {2}            "2" where Q is set
 *     {U:S|U}        chosen by the field U
 *
 * The row's size is its field `ss`, `z`, or the letter at the end of its name.
 */
import type { Row } from '../row.ts'
import { ARRANGEMENTS, SCALARS } from './kinds-simd.ts'

type Fields = Readonly<Record<string, number>>
/** Makes a form: mnemonic, row, pattern, fixed fields. */
export type AddForm = (mnemonic: string, row: string, pattern: string, fixed: Fields) => void

/** Letters of fields that decide over the spelling rather than fill an operand in. */
const SHAPE = ['Q', 'U', 'u', 's', 'z', 'p', 'q', 'x', 'e']

const PTYPE = ['s', 'd', '', 'h']

/** Elements of 2^size bytes in 8 or 16 bytes. */
const arrangement = (size: number, q: number): string =>
  ARRANGEMENTS.find((name) => name === `${(8 << q) >> size}${SCALARS[size]}`) ?? ''

const widthOf = (bits: string, letter: string): number => bits.split(letter).length - 1

function sizeOf(row: Row, f: Fields): number | undefined {
  const [, letter] = /([BHSD])\)$/.exec(row.name) ?? []
  if (row.name.startsWith('PMULL')) return 0
  if (f['s'] !== undefined) return f['s']
  if (letter !== undefined) return 'BHSD'.indexOf(letter)
  if (/half/.test(row.name)) return 1
  return f['z'] === undefined ? undefined : 2 + f['z']
}

const ARRANGED: Readonly<Record<string, (size: number, q: number, z: number) => string>> = {
  '<T>': arrangement,
  '<Tb>': arrangement,
  '<Ta>': (size) => arrangement(size + 1, 1),
  '<Tp>': (size, q) => arrangement(size + 1, q),
  '<T0>': (_size, q) => arrangement(0, q),
  '<T1>': (_size, q) => arrangement(1, q),
  '<T2>': (_size, q) => arrangement(2, q),
  '<Th>': (_size, q) => (q === 1 ? '4h' : '2h'),
  '<T3>': (_size, q) => arrangement(3, q),
  '<T->': (_size, q, z) => arrangement(1 + z, q),
  '<T+>': (_size, _q, z) => arrangement(2 + z, 1),
}

/** The pattern of one operand; `undefined` where the fields have none. */
function patternOf(operand: string, row: Row, f: Fields): string | undefined {
  const size = sizeOf(row, f)
  const sized = size ?? 0
  const [q, z] = [f['Q'] ?? 1, f['z'] ?? 0]
  const vector = /^<V(\w)>\.(.+)$/.exec(operand)
  if (vector !== null) {
    const [, field = '', shape = ''] = vector
    if (shape === '<Ts>[<index>]') return `ix${size}:${widthOf(row.bits, 'L') === 0 ? 'mMH' : 'mLMH'}`
    if (shape === '4B[<index>]') return 'ix4b:mMLH'
    if (shape === '<Tc>[<index>]') return `complex${size}:mMLH`
    if (shape === 'S[<imm2>]') return `els:${field}i`
    if (shape === 'D[1]') return `upper:${field}`
    if (shape === '2<V>') return `v2${SCALARS[sized]}:${field}`
    const name = ARRANGED[shape]?.(sized, q, z) ?? shape.toLowerCase()
    return name === '' ? undefined : `v${name}:${field}`
  }
  const scalar = /^<(V|Va|Vb|F|G)><(\w)>$/.exec(operand)
  if (scalar !== null) {
    const [, kind = '', field = ''] = scalar
    const letter =
      kind === 'F' ? PTYPE[f['p'] ?? 0] : kind === 'G' ? PTYPE[f['q'] ?? 0] : SCALARS[sized + (kind === 'Va' ? 1 : 0)]
    return letter === '' ? undefined : `f${letter}:${field}`
  }
  const [, width, field] = /^(<R>|[BHSDQWX])<(\w)>$/.exec(operand) ?? []
  if (width !== undefined) {
    const letter = width === '<R>' ? (z === 1 ? 'x' : 'w') : width.toLowerCase()
    return 'wx'.includes(letter) ? `${letter}:${field}` : `f${letter}:${field}`
  }
  return IMMEDIATES[operand]?.(sized, f)
}

const IMMEDIATES: Readonly<Record<string, (size: number, f: Fields) => string>> = {
  '#<left>': (size) => `left${8 << size}:i`,
  '#<right>': (size) => `right${8 << size}:i`,
  '#<size>': (size) => `exact${8 << size}:`,
  '#<fbits>': (_size, f) => (f['z'] === 1 ? 'fbits:f' : 'fbits32:f'),
  '#<imm>': () => 'float:i',
  '#<imm8>': () => 'float:hg',
  '#<nzcv>': () => 'imm4:f',
  '#<index>': () => 'imm4:i',
  '#<imm6>': () => 'imm6:i',
  '#<imm2>': () => 'imm2:i',
  '<cond>': () => 'cond:c',
  '#0': () => 'exact0:',
  '#0.0': () => 'fzero:',
  '#<rotate>': (_size, f) => (f['R'] === undefined ? 'rot90:r' : 'rot180:R'),
}

/** Every combination of values of these fields. */
function combinations(widths: readonly (readonly [string, number])[]): Fields[] {
  const [first, ...others] = widths
  if (first === undefined) return [{}]
  const [letter, width] = first
  const rest = combinations(others)
  return Array.from({ length: 2 ** width }, (_, value) => value).flatMap((value) =>
    rest.map((fields) => ({ [letter]: value, ...fields })),
  )
}

/** All forms of a row whose syntax is written in the language above. */
function spell(row: Row, add: AddForm): void {
  const shape = SHAPE.map((letter) => [letter, widthOf(row.bits, letter)] as const).filter(([, width]) => width > 0)
  const [mnemonic = '', ...rest] = row.syntax.split(' ')
  const operands = rest.join(' ').split(', ')
  for (const fixed of combinations(shape)) {
    const f: Record<string, number> = { ...fixed }
    if (row.bits.includes('R')) f['R'] = 0
    const name = mnemonic
      .replace('{2}', f['Q'] === 1 ? '2' : '')
      .replace(/\{(\w):([^}]*)\}/, (_, letter: string, list: string) => list.split('|')[f[letter] ?? 0] ?? '')
    const patterns = operands.map((operand) => patternOf(operand, row, f))
    if (patterns.includes(undefined)) continue
    add(name.toLowerCase(), row.name, patterns.join(' '), fixed)
  }
}

const SIZES = ['b', 'h', 's', 'd'] as const

/** Loads and stores: of registers by their size, as `s` or `o` and the row's own name have it. */
function loadsAndStores(row: Row, add: AddForm): void {
  const quad = row.name.endsWith('Q)')
  const low = row.name.endsWith('S, D)') ? 2 : 0
  const pairs = row.name.includes('P/ST')
  for (const fixed of combinations([
    ...(quad ? [] : [[row.bits.includes('o') ? 'o' : 's', 1] as const]),
    ...(row.bits.includes('L') ? [['L', 1] as const] : []),
  ])) {
    const size = quad ? 4 : (pairs ? 2 : low) + (fixed['o'] ?? fixed['s'] ?? 0)
    const bytes = 1 << size
    const t = `f${SCALARS[size]}:t`
    const load = fixed['L'] === 1
    if (pairs || row.name.startsWith('LDNP')) {
      const mnemonic = (load ? 'ld' : 'st') + (row.name.startsWith('LDNP') ? 'np' : 'p')
      const memory = row.name.includes('pre-')
        ? `pairpre${bytes}:ni`
        : row.name.includes('post-')
          ? `base:n pairpost${bytes}:i`
          : `pair${bytes}:ni`
      add(mnemonic, row.name, `${t} ${t.replace(':t', ':u')} ${memory}`, fixed)
    } else if (row.name.startsWith('LDUR')) {
      add(load ? 'ldur' : 'stur', row.name, `${t} unscaled:ni`, fixed)
      add(load ? 'ldr' : 'str', row.name, `${t} unscaled:ni`, fixed)
    } else {
      const mnemonic = load ? 'ldr' : 'str'
      if (row.name.includes('unsigned')) add(mnemonic, row.name, `${t} scaled${bytes}:ni`, fixed)
      else if (row.name.includes('pre-')) add(mnemonic, row.name, `${t} pre:ni`, fixed)
      else if (row.name.includes('post-')) add(mnemonic, row.name, `${t} base:n post:i`, fixed)
      else {
        add(mnemonic, row.name, `${t} index${bytes}:nmS`, { ...fixed, e: 1 })
        add(mnemonic, row.name, `${t} extindex${bytes}:nmeS`, fixed)
      }
    }
  }
}

function literals(row: Row, add: AddForm): void {
  for (const [o, letter] of ['s', 'd', 'q'].entries()) add('ldr', row.name, `f${letter}:t label19:i`, { o })
}

/** The base alone, or moved by what was accessed, or by a register. */
function addresses(row: Row, bytes: number, add: (address: string, fixed: Fields) => void): void {
  if (!row.name.includes('post-indexed')) return add('base:n', {})
  add(`base:n exact${bytes}:`, { m: 31 })
  add('base:n x:m', {})
}

const COUNTS: Readonly<Record<string, number>> = { four: 4, three: 3, two: 2, one: 1 }

function structures(row: Row, add: AddForm): void {
  const [, single] = /single structure.*([BHSD])\)/.exec(row.name) ?? []
  const replicated = /^LD(\d)R/.exec(row.name)?.[1]
  if (single !== undefined) {
    const size = 'BHSD'.indexOf(single)
    for (const fixed of combinations([
      ['L', 1],
      ['k', 1],
      ['r', 1],
    ])) {
      const count = 2 * (fixed['k'] ?? 0) + (fixed['r'] ?? 0) + 1
      addresses(row, count << size, (address, more) =>
        add(`${fixed['L'] === 1 ? 'ld' : 'st'}${count}`, row.name, `lane${count}${SIZES[size]}:tQis ${address}`, {
          ...fixed,
          ...more,
        }),
      )
    }
    return
  }
  for (const fixed of combinations([['Q', 1], ['s', 2], ...(replicated === undefined ? [['L', 1] as const] : [])])) {
    const [q, size] = [fixed['Q'] ?? 0, fixed['s'] ?? 0]
    const named = /\((\w+) registers?\)/.exec(row.name)?.[1]
    const count = Number(replicated ?? (named === undefined ? row.name.charAt(2) : COUNTS[named]))
    const bytes = replicated === undefined ? count * (8 << q) : count << size
    const name = replicated === undefined ? `${fixed['L'] === 1 ? 'ld' : 'st'}${row.name.charAt(2)}` : `ld${count}r`
    addresses(row, bytes, (address, more) =>
      add(name, row.name, `list${count}${arrangement(size, q)}:t ${address}`, { ...fixed, ...more }),
    )
  }
}

/** DUP, INS, UMOV, SMOV, which MOV stands for in part; TBL and TBX. */
function copies(row: Row, add: AddForm): void {
  const size = 'BHSD'.indexOf(/([BHSD])\)$/.exec(row.name)?.[1] ?? 'B')
  const letter = SIZES[size]
  const general = size === 3 ? 'x' : 'w'
  const tables = /^TBL\/TBX \((\d)\)/.exec(row.name)?.[1]
  if (tables !== undefined)
    for (const fixed of combinations([
      ['Q', 1],
      ['x', 1],
    ])) {
      const v = `v${arrangement(0, fixed['Q'] ?? 0)}`
      add(fixed['x'] === 1 ? 'tbx' : 'tbl', row.name, `${v}:d list${tables}16b:n ${v}:m`, fixed)
    }
  else if (row.name.startsWith('DUP (element, scalar')) {
    add('mov', row.name, `f${letter}:d el${letter}:ni`, {})
    add('dup', row.name, `f${letter}:d el${letter}:ni`, {})
  } else if (row.name.startsWith('INS (general')) {
    add('mov', row.name, `el${letter}:di ${general}:n`, {})
    add('ins', row.name, `el${letter}:di ${general}:n`, {})
  } else if (row.name.startsWith('INS (element')) {
    add('mov', row.name, `el${letter}:di elj${size}:nj`, {})
    add('ins', row.name, `el${letter}:di elj${size}:nj`, {})
  } else
    for (const q of [0, 1]) {
      const v = arrangement(size, q)
      if (row.name.startsWith('DUP (element') && v !== '') add('dup', row.name, `v${v}:d el${letter}:ni`, { Q: q })
      if (row.name.startsWith('DUP (general') && v !== '') add('dup', row.name, `v${v}:d ${general}:n`, { Q: q })
      if (row.name.startsWith('SMOV')) add('smov', row.name, `${q === 1 ? 'x' : 'w'}:d el${letter}:ni`, { Q: q })
      if (row.name.startsWith('UMOV') && q === (size === 3 ? 1 : 0)) {
        if (size >= 2) add('mov', row.name, `${general}:d el${letter}:ni`, { Q: q })
        add('umov', row.name, `${general}:d el${letter}:ni`, { Q: q })
      }
    }
}

/** By `cmode` (`c`) and `op` (`p`): C4.1, "Advanced SIMD modified immediate". */
function modifiedImmediates(row: Row, add: AddForm): void {
  const logical = row.name.startsWith('ORR')
  for (const { Q = 0, p = 0, c = 0 } of combinations([
    ['Q', 1],
    ['p', 1],
    ['c', 4],
  ])) {
    const put = (mnemonic: string, vector: string, immediate: string): void =>
      add(mnemonic, row.name, `${vector}:d ${immediate}`, { Q, p, c })
    const move = p === 1 ? 'mvni' : 'movi'
    const byte = 'byte:hg'
    const lsl = (amount: number): string => `${byte} ${amount === 0 ? '?' : ''}lsl${amount}:`
    const size = c < 8 ? 2 : 1
    const amount = 8 * (c < 8 ? c >> 1 : (c >> 1) & 1)
    if (c < 12 && (c & 1) === 1) {
      if (logical) put(p === 1 ? 'bic' : 'orr', `v${arrangement(size, Q)}`, lsl(amount))
    } else if (logical) continue
    else if (c < 12) put(move, `v${arrangement(size, Q)}`, lsl(amount))
    else if (c < 14) put(move, `v${arrangement(2, Q)}`, `${byte} msl${c === 12 ? 8 : 16}:`)
    else if (c === 14)
      put('movi', p === 0 ? `v${arrangement(0, Q)}` : Q === 1 ? 'v2d' : 'fd', p === 0 ? byte : 'mask:hg')
    else if (p === 0 || Q === 1) put('fmov', p === 0 ? `v${arrangement(2, Q)}` : 'v2d', 'float:hg')
  }
}

/** What another instruction's name is preferred for. */
function aliases(row: Row, add: AddForm): void {
  const both = (forms: (q: number) => readonly [mnemonic: string, pattern: string, fixed: Fields]): void => {
    for (const q of [0, 1]) {
      const [mnemonic, pattern, fixed] = forms(q)
      add(mnemonic, row.name, pattern, { Q: q, ...fixed })
    }
  }
  const long = /^([SU])SHLL \(([BHS])\)$/.exec(row.name)
  if (row.name === 'ORR (vector)') both((q) => ['mov', `v${arrangement(0, q)}:d v${arrangement(0, q)}:nm`, {}])
  if (row.name === 'NOT (vector)') both((q) => ['mvn', `v${arrangement(0, q)}:d v${arrangement(0, q)}:n`, { s: 0 }])
  if (long !== null) {
    const [, sign = '', letter = ''] = long
    const size = 'BHS'.indexOf(letter)
    both((q) => [
      `${sign.toLowerCase()}xtl${q === 1 ? '2' : ''}`,
      `v${arrangement(size + 1, 1)}:d v${arrangement(size, q)}:n`,
      { i: 0 },
    ])
  }
}

/** All forms of a floating-point or AdvSIMD row. */
export function simdForms(row: Row, add: AddForm): void {
  aliases(row, add)
  if (row.name.startsWith('LDR (literal')) return literals(row, add)
  if (/^(LDU?R|LDP|LDNP)/.test(row.name)) return loadsAndStores(row, add)
  if (/^LD\d/.test(row.name)) return structures(row, add)
  if (/^(DUP|INS|UMOV|SMOV|TBL)/.test(row.name)) return copies(row, add)
  if (row.bits.includes('hhh') && row.bits.includes('cccc')) return modifiedImmediates(row, add)
  spell(row, add)
}
