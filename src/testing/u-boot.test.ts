/** U-Boot, Debian's build for QEMU's `virt`, to its prompt: a guest that is not Linux, at EL1 without interrupts. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openApt } from '../../scripts/guests/apt.ts'
import { GenericTimer } from '../engine/devices/generic-timer.ts'
import { Pl011 } from '../engine/devices/pl011.ts'
import { Machine } from '../engine/machine/machine.ts'
import type { CpuModelId } from '../pure/arch/cpu/models.ts'
import { deviceTree } from '../pure/blueprint/device-tree.ts'
import { PPI } from '../pure/arch/intid.ts'
import { memoryMap } from '../pure/blueprint/memory-map.ts'

const GUESTS = join(import.meta.dirname, '../../.guests')
const FOLDER = join(GUESTS, 'u-boot')
const IMAGE = join(FOLDER, 'usr/lib/u-boot/qemu_arm64/u-boot.bin')

/** Fetches the package once; why not, where it cannot. */
function prepare(): string | undefined {
  if (existsSync(IMAGE)) return undefined
  if (!existsSync(join(GUESTS, 'apt/lists'))) return '"npm run setup" has not prepared apt'
  const apt = openApt(join(GUESTS, 'apt'))
  if (!apt.ok) return apt.what
  const part = `${FOLDER}.part`
  rmSync(part, { recursive: true, force: true })
  mkdirSync(part, { recursive: true })
  const unpacked = apt.value.unpack('u-boot-qemu', part)
  if (!unpacked.ok) return unpacked.what
  renameSync(part, FOLDER)
  return undefined
}

const missing = prepare()
if (missing !== undefined) console.warn(`the test that boots U-Boot is skipped: ${missing}`)

const RAM_SIZE = 128 * 2 ** 20
/** U-Boot finds its device tree at the start of RAM, itself anywhere, and its environment in a flash. */
const TEXT = memoryMap.ram.base + 0x20_0000
const FLASH = { base: 0x400_0000, size: 0x400_0000 } as const
const STEP_NS = 1e6
const MOST_NS = 500e6

class UBoot {
  console = ''
  readonly machine: Machine
  private readonly uart: Pl011

  constructor(cpu: CpuModelId) {
    const line = { set: () => {} }
    this.machine = new Machine({ ramBase: memoryMap.ram.base, ramSize: RAM_SIZE, cpu })
    const { machine } = this
    const transmit = (bytes: Uint8Array): void => {
      this.console += Buffer.from(bytes).toString('latin1')
    }
    this.uart = new Pl011({ base: memoryMap.pl011.base, irq: line, transmit })
    machine.attach(this.uart)
    machine.attach({
      name: 'blank flash',
      ...FLASH,
      read: (_offset, width) => (1n << BigInt(8 * width)) - 1n,
      write: () => {},
    })
    const timer = new GenericTimer({ clock: machine.clock, lines: () => ({ physical: line, virtual: line }) })
    timer.addCpu()
    machine.own(timer.sysregs)
    const dtb = deviceTree({ cpu, gic: 3, its: false, pmu: PPI.pmu, affinities: [0], memory: RAM_SIZE, bootargs: '' })
    machine.ram(memoryMap.ram.base, dtb.length)?.set(dtb)
    const image = readFileSync(IMAGE)
    machine.ram(TEXT, image.length)?.set(image)
    machine.addCpu().powerOn(BigInt(TEXT), 0n)
  }

  type(text: string): void {
    this.uart.receive(new TextEncoder().encode(text))
  }

  until(text: string): void {
    const { clock } = this.machine
    const end = clock.now() + MOST_NS
    while (!this.console.includes(text) && clock.now() < end) this.machine.runUntil(clock.now() + STEP_NS, Infinity)
    if (!this.console.includes(text)) throw new Error(`no "${text}"; the console has\n${this.console}`)
  }
}

describe.skipIf(missing !== undefined)('U-Boot', () => {
  it.each(['cortex-a57', 'max'] as const)('on a %s comes to its prompt and obeys', { timeout: 120_000 }, (cpu) => {
    const guest = new UBoot(cpu)
    guest.until('Hit any key to stop autoboot')
    guest.type('\r')
    guest.until('=> ')
    guest.console = ''
    guest.type('md.l 40000000 1; echo sum $arch\r')
    guest.until('sum arm')
    // The device tree's magic number, as a little-endian machine reads it.
    expect(guest.console).toContain('40000000: edfe0dd0')
    expect([...guest.machine.core.undefinedWords]).toEqual([])
    expect(guest.machine.core.statistics.exceptions).toBe(0)
  })
})
