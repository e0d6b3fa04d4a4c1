/** Builds guests for the benchmarks out of C and assembly. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from '../lib/steps.mjs'
import { GCC } from './places.ts'

const SOURCES = join(ROOT, 'scripts/bench')
const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Plain ARMv8.0, as a distribution compiles. */
const COMMON = words('-O2 -march=armv8-a -fno-math-errno -mno-outline-atomics -static -pthread')
const BARE = words(`-ffreestanding -nostdlib -fno-pic -fno-pie -fno-stack-protector -fno-tree-loop-distribute-patterns
  -Wl,--build-id=none -Wl,--no-warn-rwx-segments`)

/** Files are named from scripts/bench on. */
const compile = (output: string, args: readonly string[], files: readonly string[]): string => {
  const sources = files.map((file) => join(SOURCES, file))
  const { status, stderr } = spawnSync(GCC, [
    ...COMMON,
    ...args,
    `-I${join(SOURCES, 'kernels')}`,
    '-o',
    output,
    ...sources,
  ])
  if (status !== 0) throw new Error(`${GCC}: ${stderr.toString()}`)
  return output
}

/** An ELF that is loaded at 0x40080000; each part runs `repeat` times. */
export const compileBare = (output: string, repeat: number, files: readonly string[]): string =>
  compile(output, [...BARE, `-DREPEAT=${repeat}`, `-Wl,-T,${join(SOURCES, 'kernels/kernels.ld')}`], files)

/** A program for Linux that needs no library. */
export const compileForLinux = (output: string, files: readonly string[]): string => compile(output, [], files)

/** The work of the processor alone. */
export const KERNEL_SOURCES = ['parts.c', 'integer.c', 'float.c', 'wide.c'].map((name) => `kernels/${name}`)
