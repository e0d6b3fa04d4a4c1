/** Runs accesses to the GIC of QEMU's `virt` machine (its software model, not KVM): an oracle for the CPU interface. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ICC } from '../../pure/arch/sysregs/gic-cpu.ts'
import type { IccName } from '../../pure/arch/sysregs/gic-cpu.ts'

/** `offset`: from the distributor on; a GICv2's CPU interface begins at 0x10000. */
export type GicAccess =
  | { readonly do: 'read'; readonly offset: number }
  | { readonly do: 'write'; readonly offset: number; readonly value: number }
  | { readonly do: 'mrs'; readonly register: IccName }
  | { readonly do: 'msr'; readonly register: IccName; readonly value: number }
  /** ISR_EL1.I: whether the CPU's IRQ input is high. */
  | { readonly do: 'isr' }

const GICD = 0x0800_0000
const GICR_WAKER = 0x080a_0014
const UART = 0x0900_0000
const SYSTEM_OFF = 0x8400_0008
/** RAM begins at 0x40000000 with the device tree. */
const TEXT = '0x40080000'
const TOOLS = ['qemu-system-aarch64', 'aarch64-linux-gnu-as', 'aarch64-linux-gnu-ld']

export const missingGicTools = (): string[] => TOOLS.filter((tool) => spawnSync(tool, ['--version']).status !== 0)

const load = (register: string, value: number): string =>
  `mov ${register}, #${value & 0xffff}\nmovk ${register}, #${value >>> 16}, lsl #16`

const systemRegister = (encoding: number): string => {
  const field = (lsb: number, width: number) => (encoding >>> lsb) & ((1 << width) - 1)
  return `S${field(14, 2)}_${field(11, 3)}_C${field(7, 4)}_C${field(3, 4)}_${field(0, 3)}`
}

const step = (access: GicAccess): string => {
  switch (access.do) {
    case 'read':
      return `${load('x1', GICD + access.offset)}\nldr w0, [x1]\nbl put`
    case 'write':
      return `${load('x1', GICD + access.offset)}\n${load('x0', access.value)}\nstr w0, [x1]`
    case 'mrs':
      return `mrs x0, ${systemRegister(ICC[access.register])}\nbl put`
    case 'msr':
      return `${load('x0', access.value)}\nmsr ${systemRegister(ICC[access.register])}, x0\nisb`
    case 'isr':
      return 'mrs x0, isr_el1\nubfx x0, x0, #7, #1\nbl put'
  }
}

const wakeRedistributor = `${load('x1', GICR_WAKER)}\nstr wzr, [x1]`

const program = (accesses: readonly GicAccess[], gic: 2 | 3): string => `
.globl _start
_start:
${gic === 3 ? wakeRedistributor : ''}
${accesses.map(step).join('\n')}
${load('x0', SYSTEM_OFF)}
hvc #0
b .
put:
${load('x2', UART)}
mov w3, #28
1: lsr w4, w0, w3
and w4, w4, #15
cmp w4, #10
add w5, w4, #'0'
add w6, w4, #('a' - 10)
csel w4, w5, w6, lo
str w4, [x2]
subs w3, w3, #4
b.ge 1b
mov w4, #10
str w4, [x2]
ret
`

const run = (command: string, args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 60_000 })
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
  return stdout
}

/** What the reads among the accesses gave, in order. The CPU is at EL1 with its interrupts masked. */
export const runOnQemu = (accesses: readonly GicAccess[], gic: 2 | 3 = 3): number[] => {
  const directory = mkdtempSync(join(tmpdir(), 'gic-oracle-'))
  const file = (name: string) => join(directory, name)
  try {
    writeFileSync(file('gic.s'), program(accesses, gic))
    run('aarch64-linux-gnu-as', ['-o', file('gic.o'), file('gic.s')])
    run('aarch64-linux-gnu-ld', ['-Ttext', TEXT, '-o', file('gic.elf'), file('gic.o')])
    const machine = ['-M', `virt,gic-version=${gic}`, '-cpu', 'cortex-a57', '-m', '64']
    const text = run('qemu-system-aarch64', [
      ...machine,
      '-nic',
      'none',
      '-display',
      'none',
      '-serial',
      'stdio',
      '-monitor',
      'none',
      '-kernel',
      file('gic.elf'),
    ])
    return text
      .trim()
      .split('\n')
      .map((line) => Number.parseInt(line, 16))
  } finally {
    rmSync(directory, { recursive: true })
  }
}
