import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { corpus } from '../../../../testing/a64-corpus.ts'
import { missingBinutils, openOracle } from '../../../../testing/oracle/run-instruction.ts'
import { assemble } from './assemble.ts'
import { allForms } from './mnemonics.ts'

const missing = missingBinutils()
const dir = mkdtempSync(join(tmpdir(), 'assembler-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** GNU as and ld: the bytes of a program at an address. */
function gnu(source: string, origin: number): Uint8Array {
  const file = (name: string): string => join(dir, name)
  const tool = (command: string, args: readonly string[], input?: string): void => {
    const result = spawnSync(command, args, input === undefined ? {} : { input })
    if (result.status !== 0) throw new Error(result.stderr.toString())
  }
  tool('aarch64-linux-gnu-as', ['-o', file('o'), '-'], source)
  tool('aarch64-linux-gnu-ld', [`-Ttext=0x${origin.toString(16)}`, '-e', '0', '-o', file('elf'), file('o')])
  tool('aarch64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', file('elf'), file('bin')])
  return new Uint8Array(readFileSync(file('bin')))
}

function bytesOf(source: string, origin: number): Uint8Array {
  const result = assemble(source, origin)
  if (!result.ok) throw new Error(result.errors.map((e) => `${e.line}:${e.column}: ${e.what}`).join('\n'))
  return result.bytes
}

const errorsOf = (source: string, origin = 0): string[] => {
  const result = assemble(source, origin)
  return result.ok ? [] : result.errors.map((e) => `${e.line}:${e.column} ${e.what}`)
}

describe.skipIf(missing.length > 0)('encodings', () => {
  it('are those of GNU as for every mnemonic with boundary operands', () => {
    const lines = corpus()
    const oracle = openOracle()
    const theirs = oracle.assemble(lines)
    oracle.dispose()
    const bytes = bytesOf(lines.join('\n'), 0)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const text = (word: number): string => (word >>> 0).toString(16)
    const wrong = lines.flatMap((line, i) => {
      const [ours, gas = 0] = [view.getUint32(4 * i, true), theirs[i]]
      return ours === gas ? [] : [`${line}: ${text(ours)}, GNU as ${text(gas)}`]
    })
    expect(wrong).toEqual([])
    expect(lines.length).toBeGreaterThan(5000)
  })

  it('leave no mnemonic of the table untested', () => {
    const tested = new Set(corpus().map((line) => line.split(' ')[0]))
    // Those of floating point and AdvSIMD are compared row by row (`src/testing/encodings`).
    const others = allForms().flatMap(({ mnemonic, row }) => (row.fp ? [] : [mnemonic]))
    // ADRP needs a linked program: it is in those below.
    expect([...new Set(others)].filter((mnemonic) => !tested.has(mnemonic))).toEqual(['adrp'])
  })
})

const PROGRAMS: Readonly<Record<string, string>> = {
  'labels, forward and back': `
start: b end
1: cbz x0, 1f
   b 1b
1: tbnz x3, #33, 2f ; b 1b
2: adr x0, start
   adr x1, end+4
   b.ne 1b
end: ret // done
/* a comment
   b nowhere */
   bl start`,
  'pages and their offsets': `
  adrp x0, far
  add x0, x0, :lo12:far
  ldr x1, [x0, :lo12:far]
  adrp x2, start
  adrp x3, far + 0x1000
start: nop
  .space 8000
  .balign 8
far: .quad start, far - start, far+1`,
  'literal pools': `
  ldr x0, =0x123456789abcdef0
  ldr w1, =0x1234
  ldr x2, =there
  ldr x3, =there + 4
  ldr x4, =0x123456789abcdef0
  ldr w5, =-2
  ldr x6, =1
there: b over
  .ltorg
over: ldr x0, =there
  ldr w1, =0x1234
  .byte 1`,
  'data of all sizes': `
  .byte 1, -1, 255, 'a', '\\n', 0b101, 017
  .hword 0xffff, -32768 ; .short 2
  .balign 4
  .word 0xffffffff, -1, 1+2*3, (1+2)*3, 7 % 4, 1 << 4 | 3
  .quad 0xffffffffffffffff, -1, ~0, -(-5), 10/3
  .ascii "ab\\"c\\\\", "d\\n\\t\\x41\\101"
  .asciz "end", "" // "comment"
  .string "x;y"
  .space 3
  .skip 2, 0xaa
  .zero 2
  .fill 3, 2, 0x1234
  .fill 2, 8, 0x5
  .inst 0xd503201f`,
  alignment: `
  nop
  .byte 1
  .align 3
  .byte 2
  .balign 16
  nop
  .p2align 4, 0xcc
  .byte 3
  .balign 64, 0, 8
  .balign 8, 0, 8
  .byte 1
  .org 0x200
  nop
  .org . + 16
after: .org after + 8, 0
  nop`,
  symbols: `
  .equ A, 5
  .set B, A * 4 + 2
  C = B - A
  mov x0, #A
  mov x1, B
  add x2, x2, #C & 0xf
  .set A, 6
  mov x3, #A
  ldr x4, [x5, #A + 2]
  .equ SIZE, last - first
first: .word SIZE
  .word 1, 2
last: .word SIZE
  .word . - first, . - first
  movz x0, #(SIZE >> 1), lsl #16`,
  'macros and repetitions': `
  .macro load register, value=7
  mov \\register, #\\value
  .endm
  .macro save first, second, at=sp
  stp \\first, \\second, [\\at, #-16]!
loop\\@: b loop\\@
  .endm
  .macro outer n
  load x\\n
  load w\\n, \\n + 1
  .endm
  load x3, 12
  load x4
  save x1, x2
  save x3, x4, x9
  save x5, x6, at=x7
  outer 5
  .rept 3
  nop
  .rept 2
  wfi
  .endr
  .endr
  .irp r, x1, x2, x30
  mov \\r, #1
  .endr
  .set n, 0
  .rept 4
  .word n
  .set n, n + 1
  .endr`,
  conditions: `
  .equ DEBUG, 1
  .if DEBUG
  mov x0, #1
  .if DEBUG == 2
  mov x0, #2
  .else
  mov x0, #3
  .endif
  .else
  mov x0, #4
  .endif
  .ifdef NOTHERE
  mov x0, #5
  .elseif DEBUG > 0
  mov x0, #6
  .endif
  .ifndef NOTHERE
  nop
  .endif`,
}

describe.skipIf(missing.length > 0)('programs', () => {
  for (const [name, source] of Object.entries(PROGRAMS)) {
    it(`come out as from GNU as and ld: ${name}`, () => {
      for (const origin of [0, 0x40080000]) {
        expect(Buffer.from(bytesOf(source, origin)).toString('hex')).toBe(
          Buffer.from(gnu(source, origin)).toString('hex'),
        )
      }
    })
  }
})

describe('the result', () => {
  it('gives labels their addresses and instructions their lines', () => {
    const result = assemble('.equ N, 3\nstart:\n  nop\n  nop; ret\ndata: .word 1\n', 0x4000_0000)
    if (!result.ok) throw new Error(result.errors[0]?.what)
    expect(Object.fromEntries(result.symbols)).toEqual({ N: 3, start: 0x4000_0000, data: 0x4000_000c })
    expect([...result.lines]).toEqual([
      [0x4000_0000, 3],
      [0x4000_0004, 4],
      [0x4000_0008, 4],
    ])
  })

  it('takes an origin above 4 GiB', () => {
    const result = assemble('here: ldr x0, =here', 0x40_0000_0000n)
    if (!result.ok) throw new Error(result.errors[0]?.what)
    expect(result.symbols.get('here')).toBe(0x40_0000_0000)
    expect(new DataView(result.bytes.buffer).getBigUint64(8, true)).toBe(0x40_0000_0000n)
  })
})

const ERRORS: readonly (readonly [source: string, error: string])[] = [
  ['  frob x0', "1:3 'frob' is not a known instruction."],
  ['nop\n  b nowhere', "2:5 The symbol 'nowhere' is not defined."],
  ['b 1f', "1:3 The symbol '1' is not defined."],
  ['add x0, w1, x2', "1:9 'add' wants an X register or SP or an X register here, not 'w1'."],
  ['add x0, x1, #4097', '1:13 The immediate 4097 is out of range: 0 to 4095, or a multiple of 4096 to 16773120.'],
  ['and x0, x1, #5', '1:13 0x5 is not a bitmask immediate (a run of ones, rotated and repeated).'],
  ['mov x0, #0x123456', '1:9 0x123456 cannot be moved in one instruction; use ldr with = or movz and movk.'],
  ['ldr x0, [x1, #32768]', '1:9 The immediate 32768 is out of range: 0 to 32760.'],
  ['ldr x0, [w1]', "1:9 The base of an address is an X register or SP, not 'w1'."],
  ['ldp x0, x1, [x2, #4]', '1:13 The immediate 4 is not a multiple of 8.'],
  ['tbz w0, #32, .', '1:9 The bit number 32 is out of range: 0 to 31.'],
  ['cbz x0, . + 0x100000', '1:9 The target is 0x100000 bytes away; this instruction reaches 0x100000.'],
  ['b . + 2', '1:3 The target is not a multiple of 4 bytes away (0x2).'],
  [
    'mrs x0, NOTHING_EL1',
    "1:9 'NOTHING_EL1' is not a known system register; write it as S<op0>_<op1>_C<n>_C<m>_<op2>.",
  ],
  ['dsb everything', "1:5 'dsb' wants a barrier option (sy, ish, …) here, not 'everything'."],
  ['cset x0, al', '1:10 The conditions al and nv have no inverse.'],
  ['ret x0, x1', "1:9 'ret' takes no 'x1' here."],
  ['ubfx x0, x1, #60, #8', "1:19 The field's width 8 is out of range: 1 to 4."],
  ['add x0, x1, x2, lsl #64', '1:17 The shift by 64 is out of range: 0 to 63.'],
  ['.byte 256', '1:7 The value 256 does not fit 1 byte.'],
  ['.byte 1\nnop', '2:1 An instruction lies at a multiple of 4; use .balign 4 before it.'],
  ['a: nop\na: nop', "2:1 The symbol 'a' is defined already."],
  ['x3: nop', "1:1 'x3' is a register and cannot be a label."],
  ['.space later\nlater:', "1:8 The symbol 'later' must be defined before it is used here."],
  ['.org 8\n.org 4', '2:1 The location would move back by 4 bytes.'],
  ['.space 0x100000000', '1:1 The program would grow by 4294967296 bytes, beyond 64 MiB.'],
  ['.frob 1', "1:1 '.frob' is not a known directive."],
  ['.macro m', '1:1 There is no .endm to this .macro.'],
  ['.rept 2\nnop', '1:1 There is no .endr to this .rept.'],
  ['.if 1\nnop', '1:1 There is no .endif to this .if.'],
  ['nop\n.endr', '2:1 There is no .rept to this .endr.'],
  [
    '.macro m a\nmov x0, \\a\n.endm\nm 1\nm x1\nm y',
    "2:9 The symbol 'y' is not defined. (In macro 'm', used in line 6.)",
  ],
  ['.macro m\nm\n.endm\nm', "2:1 Macros are nested too deeply. (In macro 'm', used in line 2.)"],
  ['.macro m a\n.endm\n  m 1, 2', "3:3 The macro 'm' takes 1 arguments, not more."],
  ['add x0 x1', "1:8 A comma was expected before 'x1'."],
  ['ldr x0, [x1', "1:12 A ']' is missing before the end of the line."],
  ['mov x0, #(1 + 2', "1:16 A ')' is missing before the end of the line."],
  ['mov x0, #1/0', '1:11 This divides by zero.'],
  ['.equ a, b\n.equ b, a\n.word a', "3:7 The symbol 'a' is not defined."],
  ['.ascii abc', "1:8 A string in double quotes was expected, not 'abc'."],
  ['.balign 3', '1:1 The alignment 3 is not a power of two.'],
  ['ic ivau', "1:4 'ic' wants an X register here, not nothing."],
  ['ic iallu, x0', "1:11 'ic' takes no 'x0' here."],
  ['mov x0, 089', "1:9 A number, a symbol or '(' was expected, not '089'."],
]

describe('an error', () => {
  for (const [source, error] of ERRORS)
    it(`is said plainly: ${JSON.stringify(source)}`, () => expect(errorsOf(source)).toEqual([error]))

  it('does not hide the next one, and they come in the order of the source', () => {
    expect(errorsOf('b later1\nfrob\nb later2\n.byte 300')).toEqual([
      "1:3 The symbol 'later1' is not defined.",
      "2:1 'frob' is not a known instruction.",
      "3:3 The symbol 'later2' is not defined.",
      '4:7 The value 300 does not fit 1 byte.',
    ])
  })
})
