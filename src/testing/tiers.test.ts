/** Both tiers run the same program to the same state, instruction for instruction, whatever the program. */
import { describe, expect, it } from 'vitest'
import { assemble } from '../pure/arch/a64/assembler/assemble.ts'
import { createDecoder } from '../pure/arch/a64/decoder.ts'
import { gpr } from '../pure/arch/a64/ops.ts'
import type { Row } from '../pure/arch/a64/row.ts'
import { rowsWith } from '../pure/arch/a64/rows/index.ts'
import { CPU_MODELS } from '../pure/arch/cpu/models.ts'
import { mapFlat } from './flat-mapping.ts'
import type { Thresholds } from '../engine/cpu/translator/translator.ts'
import { EAGER } from './eager.ts'
import { Machine } from '../engine/machine/machine.ts'

const RAM = { ramBase: 0x4000_0000, ramSize: 16 * 2 ** 20 }
/** The program lies at the start of RAM, what it loads and stores around here, in X28. */
const DATA = 0x4008_0000
const BASE_REGISTER = 28
/** Registers a random instruction may use: the others hold the base and count the loop. */
const FREE = 26
const INSTRUCTIONS = 160
const BUDGET = 2_000_000
const PROGRAMS = 24
const ACCESS = /^(LD|ST|SWP|CAS)/

const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed
}

const rows = rowsWith(CPU_MODELS.max.features)
const decoder = createDecoder(rows)
const isWanted = (row: Row): boolean =>
  !row.fp && row.flow !== 'leave' && row.flow !== 'call' && row.flow !== 'indirect'
const wanted = rows.filter((row) => isWanted(row) && row.flow === undefined)
const branches = rows.filter((row) => row.flow === 'branch' || row.flow === 'jump')

/** Whether an instruction touches nothing but free registers and the data around X28. */
function isTame(row: Row, word: number): boolean {
  const operands = row.operandsOf(word)
  const isAccess = ACCESS.test(row.name)
  if (/MSR|MRS|SYS|DC|IC|AT |TLBI|literal|register\)|extended|LDTR|PRF/.test(row.name) && isAccess) return false
  if (/^(MSR|MRS|SYS|DC|BRK)/.test(row.name)) return false
  for (const [name, operand] of Object.entries(operands)) {
    if (operand.kind === 'v') return false
    if (operand.kind === 'imm' && isAccess && Math.abs(Number(operand.value)) > 0x8000) return false
    if (operand.kind !== 'x' || operand.value === gpr.ZERO || operand.value === gpr.SINK) continue
    if (isAccess && name === 'n') {
      if (operand.value !== BASE_REGISTER) return false
    } else if (operand.value > FREE) return false
  }
  // A write-back would move the base away; some accesses have to be aligned.
  const { w, i } = row.fieldsOf(word)
  if (row.name.startsWith('LDRAA') && w === 1) return false
  if (row.name.startsWith('LDAPUR') && (i ?? 0) % 8 !== 0) return false
  return !(isAccess && /indexed/.test(row.name))
}

/** A random instruction that `program` and `callingProgram` may hold. */
function tameWord(next: () => number): number {
  for (;;) {
    const row = wanted[next() % wanted.length] ?? fail()
    const word = randomWord(row, next)
    if (decoder.decode(word) === row && isTame(row, word)) return word
  }
}

function randomWord(row: Row, next: () => number): number {
  let word = row.match
  for (let bit = 0; bit < 32; bit++) if (((row.mask >>> bit) & 1) === 0 && ((next() >>> 16) & 1) === 1) word |= 1 << bit
  // Accesses are rare with a random base; give them the one they may have.
  if (ACCESS.test(row.name)) word = (word & ~(31 << 5)) | (BASE_REGISTER << 5)
  return word >>> 0
}

const assembled = (source: string): Uint32Array => {
  const result = assemble(source, RAM.ramBase)
  if (!result.ok) throw new Error(JSON.stringify(result.errors))
  return new Uint32Array(result.bytes.slice().buffer)
}

/** A loop around random instructions, with random branches of a few instructions forwards and backwards. */
function program(seed: number): Uint32Array {
  const next = random(seed)
  const words: number[] = []
  while (words.length < INSTRUCTIONS) {
    if (next() % 8 !== 0) {
      words.push(tameWord(next))
      continue
    }
    const row = branches[next() % branches.length] ?? fail()
    const word = randomWord(row, next)
    if (decoder.decode(word) !== row || !isTame(row, word)) continue
    const offset = Number(Object.values(row.operandsOf(word)).find((o) => o.kind === 'imm')?.value ?? 0) / 4
    const target = words.length + offset
    if (Math.abs(offset) > 24 || offset === 0 || target < 0 || target >= INSTRUCTIONS) continue
    words.push(word)
  }
  const tail = assembled(`sub x27, x27, #1\nadd x26, x26, x27\nb .-${4 * (INSTRUCTIONS + 2)}`)
  return Uint32Array.of(...words, ...tail)
}

const FUNCTIONS = 8

/**
 * A loop that calls random small functions, some through a register that leads to one or the other. They lie pages apart or across
 * the end of one; some come back early, some call another. X29 and X30 are theirs.
 */
function callingProgram(seed: number): Uint32Array {
  const next = random(seed)
  const below = (n: number): number => (next() >>> 8) % n
  const tame = (count: number): string[] => Array.from({ length: count }, () => `.inst ${tameWord(next)}`)
  const lines: string[] = ['main:']
  for (let i = 0; i < 24; i++) {
    const [one, other] = [below(FUNCTIONS), below(FUNCTIONS)]
    lines.push(...tame(1 + below(4)))
    if (i % 3 !== 0) lines.push(`bl f${one}`)
    else lines.push(`tst x27, #${1 << below(4)}`, `adr x29, f${one}`, 'b.eq 1f', `adr x29, f${other}`, '1: blr x29')
  }
  lines.push('sub x27, x27, #1', 'add x26, x26, x27', 'b main')
  for (let f = 0; f < FUNCTIONS; f++) {
    const page = 0x1000 * (1 + (f >> 1))
    const place = f % 2 === 0 ? page + 0x100 * (1 + below(13)) : page + 0x1000 - 4 * (1 + below(8))
    lines.push(`.org ${place}`, `f${f}:`)
    lines.push(...tame(1 + below(5)), `${['cbz x3,', 'tbnz x7, #5,', 'b.ge', 'cbnz w11,'][below(4)]} 1f`)
    // An access across the end of a page is the interpreter's; behind it, an address has to be right.
    lines.push(...tame(1 + below(5)), `ldur x${below(8)}, [x28, #-${1 + below(7)}]`, `adr x${8 + below(8)}, .`)
    if (below(4) === 0) lines.push('ret')
    if (f >= FUNCTIONS / 2 && below(2) === 0) lines.push('mov x29, x30', `bl f${below(FUNCTIONS / 2)}`, 'mov x30, x29')
    lines.push('1:', ...tame(below(3)), ...(below(4) === 0 ? [`mrs x${below(8)}, tpidr_el1`] : []), 'ret')
  }
  return assembled(lines.join('\n'))
}

const fail = (): never => {
  throw new Error('no rows')
}

/** Everything the program can have changed. */
function finalState(
  code: Uint32Array,
  translate: false | Thresholds,
): { state: string; regions: number; evictions: number } {
  const machine = new Machine({ ...RAM, cpu: 'max', translate })
  machine.ram(RAM.ramBase, code.byteLength)?.set(new Uint8Array(code.buffer))
  const cpu = machine.addCpu()
  cpu.powerOn(BigInt(RAM.ramBase), 0n)
  const { core } = machine
  const [state] = core.cpus
  if (state !== undefined) mapFlat(core, state, RAM.ramBase)
  for (let x = 0; x <= FREE; x++) core.registers.setX(x, BigInt.asUintN(64, BigInt(x) * 0x9e37_79b9_7f4a_7c15n))
  core.registers.setX(BASE_REGISTER, BigInt(DATA))
  machine.runUntil(BUDGET, Infinity)
  const data = machine.ram(DATA - 0x1_0000, 0x2_0000) ?? new Uint8Array()
  let hash = 0
  for (const byte of data) hash = (Math.imul(hash, 31) + byte) | 0
  const x = Array.from({ length: 32 }, (_, n) => core.registers.x(n).toString(16))
  const first = core.cpus[0]
  const pc = first === undefined ? '' : core.banks.pcOf(first).toString(16)
  return {
    state: `${x.join(' ')} nzcv ${core.registers.nzcv} pc ${pc} executed ${first?.instructions} memory ${hash}`,
    regions: core.translator?.statistics.regions ?? 0,
    evictions: core.translator?.statistics.evictions ?? 0,
  }
}

describe('tier 1', () => {
  it('leaves the registers, flags, memory and instruction count that tier 0 leaves, for random programs', () => {
    let regions = 0
    for (let seed = 1; seed <= PROGRAMS; seed++) {
      const code = program(seed)
      const translated = finalState(code, EAGER)
      expect(translated.state, `program ${seed}`).toBe(finalState(code, false).state)
      regions += translated.regions
    }
    expect(regions).toBeGreaterThan(PROGRAMS)
  }, 120_000)

  it('does so for random functions that are called, of other pages and through registers', () => {
    let regions = 0
    for (let seed = 1; seed <= PROGRAMS; seed++) {
      const code = callingProgram(seed)
      const translated = finalState(code, EAGER)
      expect(translated.state, `program ${seed}`).toBe(finalState(code, false).state)
      regions += translated.regions
    }
    expect(regions).toBeGreaterThan(PROGRAMS)
  }, 120_000)

  it('may forget what it has compiled at any time', () => {
    let evictions = 0
    for (let seed = 1; seed <= 4; seed++) {
      const code = program(seed)
      const translated = finalState(code, { ...EAGER, modules: 1 })
      expect(translated.state, `program ${seed}`).toBe(finalState(code, false).state)
      evictions += translated.evictions
    }
    expect(evictions).toBeGreaterThan(0)
  }, 60_000)
})
