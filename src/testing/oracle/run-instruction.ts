/** Runs single A64 instructions on QEMU's user-mode emulator: an oracle for instruction semantics that is not us. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SOURCE = join(import.meta.dirname, 'run-instruction.s')
const SIZE = 464
const REGISTERS = 8
const at = { word: 0, fpcr: 4, fpsr: 8, nzcv: 12, x: 16, v: 80, memory: 208 } as const
export const MEMORY_SIZE = 256

/** Where the program's memory lies: an instruction that uses memory gets addresses from here. */
export const MEMORY_ADDRESS = 0x20000000 + at.memory
/** Where the instruction itself lies. */
export const INSTRUCTION_ADDRESS = 0x20000000 + 4096

/** The part of a CPU that an instruction under test sees: registers 0 to 7 of each kind. */
export interface MachineState {
  word: number
  fpcr: number
  fpsr: number
  /** 0..15 */
  nzcv: number
  x: bigint[]
  /** 128 bits each. */
  v: bigint[]
  memory: Uint8Array
}

export const emptyState = (word: number): MachineState => ({
  word,
  fpcr: 0,
  fpsr: 0,
  nzcv: 0,
  x: Array<bigint>(REGISTERS).fill(0n),
  v: Array<bigint>(REGISTERS).fill(0n),
  memory: new Uint8Array(MEMORY_SIZE),
})

export interface Oracle {
  /** The states after their instructions, in order. */
  run(states: readonly MachineState[], cpu?: string): MachineState[]
  /** The words of these lines of A64, one instruction each. */
  assemble(lines: readonly string[]): number[]
  disassemble(words: readonly number[]): string[]
  dispose(): void
}

const succeeds = (command: string): boolean => spawnSync(command, ['--version']).status === 0

/** The tools that are missing on this machine. */
export const missingTools = (): string[] =>
  [
    'qemu-aarch64',
    'aarch64-linux-gnu-as',
    'aarch64-linux-gnu-ld',
    'aarch64-linux-gnu-objdump',
    'aarch64-linux-gnu-objcopy',
  ].filter((name) => !succeeds(name))

/** The tools that are missing for assembly and disassembly alone. */
export const missingBinutils = (): string[] => missingTools().filter((name) => name !== 'qemu-aarch64')

function tool(command: string, args: readonly string[], input?: Uint8Array): Buffer {
  const result = spawnSync(command, args, { ...(input === undefined ? {} : { input }), maxBuffer: 1 << 30 })
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${result.signal ?? ''} ${result.stderr.toString()}`)
  return result.stdout
}

export function openOracle(): Oracle {
  const dir = mkdtempSync(join(tmpdir(), 'oracle-'))
  const file = (name: string): string => join(dir, name)
  let program: string | undefined
  const built = (): string => {
    if (program !== undefined) return program
    tool('aarch64-linux-gnu-as', ['-o', file('run.o'), SOURCE])
    tool('aarch64-linux-gnu-ld', ['-static', '--section-start=.record=0x20000000', '-o', file('run'), file('run.o')])
    return (program = file('run'))
  }
  return {
    run: (states, cpu = 'cortex-a57') => {
      const input = new Uint8Array(states.length * SIZE)
      states.forEach((s, i) => input.set(encode(s), i * SIZE))
      const output = tool('qemu-aarch64', ['-cpu', cpu, built()], input)
      if (output.length !== input.length) throw new Error(`${states.length} records in, ${output.length / SIZE} out`)
      return states.map((_, i) => decode(output.subarray(i * SIZE, (i + 1) * SIZE)))
    },
    assemble: (lines) => {
      tool(
        'aarch64-linux-gnu-as',
        ['-march=armv8.5-a+fp16+rng', '-o', file('a.o'), '-'],
        new TextEncoder().encode(lines.join('\n') + '\n'),
      )
      tool('aarch64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', file('a.o'), file('a.bin')])
      const bytes = tool('cat', [file('a.bin')])
      return lines.map((_, i) => bytes.readUInt32LE(4 * i))
    },
    disassemble: (words) => {
      const source = words.map((w) => `.inst 0x${(w >>> 0).toString(16)}`).join('\n') + '\n'
      tool('aarch64-linux-gnu-as', ['-march=armv8-a+nosimd', '-o', file('d.o'), '-'], new TextEncoder().encode(source))
      // Without aliases, and as v8.0 has it: an encoding of a later extension is then not an instruction.
      const text = tool('aarch64-linux-gnu-objdump', [
        '-d',
        '-M',
        'no-aliases',
        '--no-show-raw-insn',
        file('d.o'),
      ]).toString()
      const lines = text.split('\n').filter((line) => /^\s+[0-9a-f]+:\t/.test(line))
      if (lines.length !== words.length) throw new Error(`${words.length} words, ${lines.length} lines`)
      return lines.map((line) =>
        line
          .replace(/^\s+[0-9a-f]+:\t/, '')
          .replace(/\s+\/\/.*$/, '')
          .replaceAll('\t', ' ')
          .trim(),
      )
    },
    dispose: () => rmSync(dir, { recursive: true, force: true }),
  }
}

const MASK64 = (1n << 64n) - 1n

function encode(s: MachineState): Uint8Array {
  const bytes = new Uint8Array(SIZE)
  const view = new DataView(bytes.buffer)
  view.setUint32(at.word, s.word, true)
  view.setUint32(at.fpcr, s.fpcr, true)
  view.setUint32(at.fpsr, s.fpsr, true)
  view.setUint32(at.nzcv, (s.nzcv << 28) >>> 0, true)
  for (let i = 0; i < REGISTERS; i++) {
    view.setBigUint64(at.x + 8 * i, (s.x[i] ?? 0n) & MASK64, true)
    view.setBigUint64(at.v + 16 * i, (s.v[i] ?? 0n) & MASK64, true)
    view.setBigUint64(at.v + 16 * i + 8, (s.v[i] ?? 0n) >> 64n, true)
  }
  bytes.set(s.memory, at.memory)
  return bytes
}

function decode(bytes: Buffer): MachineState {
  return {
    word: bytes.readUInt32LE(at.word),
    fpcr: bytes.readUInt32LE(at.fpcr),
    fpsr: bytes.readUInt32LE(at.fpsr),
    nzcv: bytes.readUInt32LE(at.nzcv) >>> 28,
    x: Array.from({ length: REGISTERS }, (_, i) => bytes.readBigUInt64LE(at.x + 8 * i)),
    v: Array.from(
      { length: REGISTERS },
      (_, i) => bytes.readBigUInt64LE(at.v + 16 * i) | (bytes.readBigUInt64LE(at.v + 16 * i + 8) << 64n),
    ),
    memory: new Uint8Array(bytes.subarray(at.memory, at.memory + MEMORY_SIZE)),
  }
}
