/**
 * Snippets of privileged code, run on QEMU's system emulator and on our machine alike: what exceptions they take, with
 * which ESR_EL1, FAR_EL1, ELR_EL1 and SPSR_EL1, and what they leave in X0 and X1.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GenericTimer } from '../../engine/devices/generic-timer.ts'
import { Machine } from '../../engine/machine/machine.ts'
import type { CpuModelId } from '../../pure/arch/cpu/models.ts'

export interface Snippet {
  readonly name: string
  /** A64, at EL1 with SP_EL1; it may use X0 to X15 and the labels of `PAGES`. */
  readonly code: string
}

/** Virtual pages at 0x80000000, by their descriptors' upper and lower attributes. All map one page of RAM. */
export const PAGES = {
  el1_rw: '0x0060000000000703',
  el1_ro: '0x0060000000000783',
  el0_rw: '0x0060000000000743',
  el0_ro: '0x00600000000007c3',
  invalid: '0',
  no_af: '0x0060000000000303',
  el1_exec: '0x0040000000000783',
  el0_exec: '0x00200000000007c3',
  wild: '0x0060f00000000703',
  reserved: '0x0060000000000701',
  clean: '0x0068000000000783',
  guarded: '0x0044000000000783',
} as const

const names = Object.keys(PAGES)
const TEXT = 0x4010_0000
const TABLES = 0x4020_0000
const DATA = 0x4021_0000
const LOG = 0x4030_0000
const LOG_SIZE = 0x8_0000
const PAGES_AT = 0x8000_0000
const UART = 0x0900_0000
const MARK = 0xfeed_0000

const load = (register: string, value: string | number): string => `ldr ${register}, =${value}`

/** X28: where the log goes on. X27: where an exception goes on. */
const program = (snippets: readonly Snippet[]): string => `
${names.map((name, i) => `.equ ${name}, ${PAGES_AT + 4096 * i}`).join('\n')}
.equ block, ${PAGES_AT + 0x40_0000}
.equ no_block, ${PAGES_AT + 0x20_0000}
.equ data, ${DATA}
.global _start
_start:
  msr daifset, #15
  ${load('x28', LOG)}
  ${load('x0', TABLES)}
  // Level 1: devices, RAM, and the pages.
  mov x1, #0x405
  movk x1, #0x60, lsl #48
  str x1, [x0]
  ${load('x1', '0x40000701')}
  str x1, [x0, #8]
  ${load('x1', TABLES + 0x1000 + 3)}
  str x1, [x0, #16]
  // Level 2: the pages, nothing, a block.
  ${load('x1', TABLES + 0x2000 + 3)}
  str x1, [x0, #0x1000]
  ${load('x1', '0x40600701')}
  str x1, [x0, #0x1010]
  add x0, x0, #0x2000
${Object.values(PAGES)
  .map((d) => `  ${load('x1', d)}\n  ${load('x2', DATA)}\n  cbz x1, 1f\n  orr x1, x1, x2\n1: str x1, [x0], #8`)
  .join('\n')}
  // Landing pads and returns to execute in the page.
  ${load('x0', DATA)}
  ${load('x1', '0xd65f03c0d503201f')}
  str x1, [x0, #0x800]
  ${load('x1', '0xd65f03c0d503245f')}
  str x1, [x0, #0x808]
  ${load('x0', '0x00000000000004ff')}
  msr mair_el1, x0
  ${load('x0', '(25 | 25 << 16 | 1 << 23 | 1 << 37 | 2 << 32)')}
  msr tcr_el1, x0
  mov x25, x0
  ${load('x0', TABLES)}
  msr ttbr0_el1, x0
  msr ttbr1_el1, xzr
  adr x0, vectors
  msr vbar_el1, x0
  mov x0, #(3 << 20)
  msr cpacr_el1, x0
  // Instructions are the same as data here, and nothing is cached: LSMAOE, nTLSMD, SPAN, EIS, TSCXT, EOS; SA, SA0; M.
  ${load('x26', '0x30d00819')}
  dsb sy
  msr sctlr_el1, x26
  isb
  tlbi vmalle1
  dsb sy
  isb
${snippets
  .map(
    ({ code }, i) => `
snippet${i}:
  adr x27, after${i}
  ${load('x0', 0x4028_0000)}
  mov sp, x0
  msr sctlr_el1, x26
  isb
  msr nzcv, xzr
  mov x0, #0
  mov x1, #0
${code}
after${i}:
  msr daifset, #15
  bic x20, x26, #1
  msr sctlr_el1, x20
  isb
  msr tcr_el1, x25
  ${load('x20', TABLES)}
  msr ttbr0_el1, x20
  isb
  tlbi vmalle1
  dsb sy
  msr sctlr_el1, x26
  isb
  tlbi vmalle1
  dsb sy
  isb
  msr mdscr_el1, xzr
  isb
  ${load('x20', MARK + i)}
  stp x20, x0, [x28], #16
  str x1, [x28], #8
`,
  )
  .join('')}
  // Print the log, a word a line, and turn the machine off.
  ${load('x10', LOG)}
  ${load('x2', UART)}
2: cmp x10, x28
  b.hs 4f
  ldr x11, [x10], #8
  mov w3, #60
1: lsr x4, x11, x3
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
  b 2b
4: ${load('x0', '0x84000008')}
  hvc #0
  b .
  .ltorg
handler:
  mrs x21, esr_el1
  stp x20, x21, [x28], #16
  // FAR_EL1 tells something for aborts, misaligned PCs and watchpoints.
  lsr x22, x21, #26
  mrs x23, far_el1
  and x24, x22, #0x3e
  cmp x24, #0x20
  b.eq 1f
  cmp x24, #0x24
  b.eq 1f
  cmp x24, #0x34
  b.eq 1f
  cmp x22, #0x22
  csel x23, x23, xzr, eq
1: mrs x24, elr_el1
  stp x23, x24, [x28], #16
  mrs x24, spsr_el1
  str x24, [x28], #8
  msr elr_el1, x27
  mov x20, #0x3c5
  msr spsr_el1, x20
  eret
  .balign 2048
vectors:
${Array.from({ length: 16 }, (_, i) => `  mov x20, #${i}\n  b handler\n  .balign 128`).join('\n')}
`

const run = (command: string, args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
  return stdout
}

/** What a snippet did, as text: its exceptions, then X0 and X1. */
export type Outcome = readonly string[]

const hex = (value: bigint): string => `0x${value.toString(16)}`

function outcomes(log: readonly bigint[], count: number): Outcome[] {
  const found: Outcome[] = []
  let lines: string[] = []
  for (let at = 0; at < log.length && found.length < count;) {
    const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n] = log.slice(at, at + 5)
    if (a === BigInt(MARK + found.length)) {
      found.push([...lines, `x0 ${hex(b)} x1 ${hex(c)}`])
      lines = []
      at += 3
    } else {
      lines.push(`vector ${a} esr ${hex(b)} far ${hex(c)} elr ${hex(d)} spsr ${hex(e)}`)
      at += 5
    }
  }
  return found
}

export interface Probe {
  onQemu(cpu: string): Outcome[]
  onOurs(cpu: CpuModelId, translate: boolean): Outcome[]
  dispose(): void
}

export function probe(snippets: readonly Snippet[]): Probe {
  const folder = mkdtempSync(join(tmpdir(), 'system-'))
  const file = (name: string): string => join(folder, name)
  writeFileSync(file('s'), program(snippets))
  run('aarch64-linux-gnu-as', ['-march=armv8.5-a+rng', '-o', file('o'), file('s')])
  run('aarch64-linux-gnu-ld', ['-Ttext', hex(BigInt(TEXT)), '-o', file('elf'), file('o')])
  run('aarch64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', file('elf'), file('bin')])
  return {
    onQemu: (cpu) => {
      const machine = ['-M', 'virt,gic-version=3', '-cpu', cpu, '-m', '64', '-nic', 'none', '-display', 'none']
      const text = run('qemu-system-aarch64', [
        ...machine,
        '-serial',
        'stdio',
        '-monitor',
        'none',
        '-kernel',
        file('elf'),
      ])
      return outcomes(
        text
          .trim()
          .split('\n')
          .map((line) => BigInt(`0x${line.trim()}`)),
        snippets.length,
      )
    },
    onOurs: (cpu, translate) => {
      const ramBase = 0x4000_0000
      const machine = new Machine({ ramBase, ramSize: 64 * 2 ** 20, cpu, translate })
      machine.attach({ name: 'uart', base: UART, size: 0x1000, read: () => 0n, write: () => {} })
      const line = { set: () => {} }
      const timer = new GenericTimer({ clock: machine.clock, lines: () => ({ physical: line, virtual: line }) })
      timer.addCpu()
      machine.own(timer.sysregs)
      machine.onHypercall(() => {
        machine.systemEvent('off')
        return undefined
      })
      machine.ram(TEXT, 0x8_0000)?.set(readFileSync(file('bin')))
      machine.addCpu().powerOn(BigInt(TEXT), 0n)
      machine.runUntil(50e6, Infinity)
      const bytes = machine.ram(LOG, LOG_SIZE) ?? new Uint8Array()
      const words = new BigUint64Array(bytes.slice().buffer)
      return outcomes([...words], snippets.length)
    },
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  }
}
