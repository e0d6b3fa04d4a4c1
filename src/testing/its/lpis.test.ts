/** The guest `lpis.s`, assembled by our assembler: on our machine, and on QEMU's virt machine as the oracle. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createVmm } from '../../engine/vmm/vmm.ts'
import { GITS_TRANSLATER } from '../../pure/arch/gic/gits.ts'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import { memoryMap } from '../../pure/blueprint/memory-map.ts'
import { KVM_MSI_VALID_DEVID } from '../../pure/uapi/calls.ts'
import { flatBinary } from '../flat-guest.ts'

const SOURCE = readFileSync(join(import.meta.dirname, 'lpis.s'), 'utf8')
const DEVICE = 5
const LAST_EVENT = 15
const TIMEOUT = 120_000

/** What it prints before it waits for messages. */
const lines = (cpus: number): string => {
  const last = cpus - 1
  return `lpis: ${cpus} CPUs
INT: CPU 0 takes LPI 8192
MOVI: CPU ${last} takes LPI 8193
INT of the moved event: CPU ${last} takes LPI 8193
MOVALL: CPU ${last} takes LPI 8194
MAPC: CPU ${last} takes LPI 8195
CLEAR: nothing
INV, disabled: nothing
INV, enabled: CPU 0 takes LPI 8196
MOVALL of another CPU: CPU 0 takes LPI 8197
DISCARD: nothing
waiting for messages
`
}

describe.each(['interpreter', 'translator'] as const)('under the %s', (engine) => {
  it.each([
    [1, '6.12'],
    [4, '6.12'],
    [4, '6.1'],
    [3, '6.8'],
  ] as const)('%d CPUs on the base %s take LPIs from INT and from messages', { timeout: TIMEOUT }, (cpus, base) => {
    let text = ''
    const made = createVmm({
      blueprint: {
        ...defaultBlueprint,
        base,
        its: true,
        vcpus: cpus,
        memory: 64 * 2 ** 20,
        guest: { id: 'own', append: '' },
      },
      engine,
      guest: { kernel: flatBinary(SOURCE), append: '' },
      onConsole: (bytes) => {
        text += Buffer.from(bytes).toString('latin1')
      },
    })
    if (!made.ok) throw new Error(made.what)
    const { vmm } = made
    const until = (end: string): string => {
      for (let i = 0; i < 200 && !text.endsWith(end); i++) vmm.run(1e6, 1e6)
      const seen = text
      text = ''
      return seen
    }
    expect(until('waiting for messages\n')).toBe(lines(cpus))

    const address = BigInt(memoryMap.its.base + GITS_TRANSLATER)
    const message = (data: number) =>
      vmm.call({ call: 'KVM_SIGNAL_MSI', address, data, flags: KVM_MSI_VALID_DEVID, devid: DEVICE })
    // The event that was discarded is one that the guest blocks.
    expect(message(0)).toMatchObject({ ok: true, value: 0n })
    for (let event = 8; event < LAST_EVENT; event++) {
      expect(message(event)).toEqual({ ok: true, value: 1n })
      expect(until('\n')).toBe(`CPU ${event % cpus} takes LPI ${8192 + event}\n`)
    }
    expect(vmm.inspect().lpis.find(({ intid }) => intid === 8199)).toMatchObject({ enabled: true, target: 0 })
    message(LAST_EVENT)
    for (let i = 0; i < 10 && vmm.run(1e6, 1e6) !== 'off'; i++);
    expect(text).toBe(`CPU ${LAST_EVENT % cpus} takes LPI ${8192 + LAST_EVENT}\ndone\n`)
  })
})

const qemu = spawnSync('qemu-system-aarch64', ['--version']).status === 0
if (!qemu) console.warn('lpis: the tests on QEMU are skipped, which is not installed')

describe.skipIf(!qemu)('on QEMU', () => {
  it.each([1, 4])('%d CPUs print the same', { timeout: TIMEOUT }, async (cpus) => {
    const directory = mkdtempSync(join(tmpdir(), 'lpis-'))
    const file = join(directory, 'lpis.bin')
    // A host that others use as well may keep a CPU waiting.
    writeFileSync(file, flatBinary(SOURCE.replace('PATIENCE, 125000', 'PATIENCE, 12500000')))
    const machine = ['-M', 'virt,gic-version=3,its=on', '-cpu', 'cortex-a57', '-accel', 'tcg,thread=single']
    const run = spawn('qemu-system-aarch64', [
      ...machine,
      '-smp',
      `${cpus}`,
      '-m',
      '64',
      '-nographic',
      '-nic',
      'none',
      '-kernel',
      file,
    ])
    const expected = lines(cpus)
    try {
      const text = await new Promise<string>((resolve) => {
        let seen = ''
        run.stdout.on('data', (chunk: Buffer) => {
          seen += chunk.toString()
          if (seen.length >= expected.length) resolve(seen)
        })
        run.on('exit', () => resolve(seen))
      })
      expect(text).toBe(expected)
    } finally {
      run.kill()
      rmSync(directory, { recursive: true })
    }
  })
})
