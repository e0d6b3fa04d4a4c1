/** Builds guests for the benchmarks out of C and assembly. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from '../lib/steps.mjs'
import { GCC } from './places/index.ts'

const SOURCES = join(ROOT, 'scripts/bench')
const words = (text: string): readonly string[] => text.trim().split(/\s+/)

export const I386_GCC = 'i686-linux-gnu-gcc'

const COMMON = words('-O2 -fno-math-errno -static -pthread')
/** Plain ARMv8.0, as a distribution compiles. */
const ARM64 = words('-march=armv8-a -mno-outline-atomics')
/** With SSE2 for doubles, and without packed integers: as v86 does it best. */
const I386 = words('-march=pentium4 -mfpmath=sse -fno-tree-vectorize')
const BARE = words(`-ffreestanding -nostdlib -fno-pic -fno-pie -fno-stack-protector -fno-tree-loop-distribute-patterns
  -Wl,--build-id=none -Wl,--no-warn-rwx-segments`)

/** Files are named from scripts/bench on. */
const compile = (gcc: string, output: string, args: readonly string[], files: readonly string[]): string => {
  const sources = files.map((file) => join(SOURCES, file))
  const all = [...COMMON, ...args, `-I${join(SOURCES, 'kernels')}`, '-o', output, ...sources]
  const { status, stderr } = spawnSync(gcc, all)
  if (status !== 0) throw new Error(`${gcc}: ${stderr.toString()}`)
  return output
}

/** An ELF that is loaded at 0x40080000; each part runs `repeat` times. */
export const compileBare = (output: string, repeat: number, files: readonly string[]): string =>
  compile(
    GCC,
    output,
    [...ARM64, ...BARE, `-DREPEAT=${repeat}`, `-Wl,-T,${join(SOURCES, 'kernels/kernels.ld')}`],
    files,
  )

/** Assembly that needs nothing else, as an ELF. */
export const assembleBare = (output: string, file: string): string =>
  compile(GCC, output, [...ARM64, ...BARE, '-Wl,-Ttext=0x40080000', '-Wl,-e,0x40080000'], [file])

/** A program for Linux that needs no library. */
export const compileForLinux = (output: string, files: readonly string[]): string => compile(GCC, output, ARM64, files)

/** The same for 32-bit x86. */
export const compileForI386 = (output: string, files: readonly string[]): string =>
  compile(I386_GCC, output, I386, files)

/** The work of the processor alone: of any, and of Arm's. */
export const COMMON_SOURCES = ['parts.c', 'integer.c', 'float.c', 'wide.c'].map((name) => `kernels/${name}`)
export const KERNEL_SOURCES = [...COMMON_SOURCES, 'kernels/arm.c']
