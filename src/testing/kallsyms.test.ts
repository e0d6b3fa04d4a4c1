/** The kernel's symbols as we find them in its RAM, beside those it tells itself. */
import { describe, expect, it } from 'vitest'
import { findSymbols } from '../engine/vmm/kallsyms.ts'
import { memoryMap } from '../pure/blueprint/memory-map.ts'
import { GuestMachine, hasLinux } from './guest-machine.ts'

const TIMEOUT = 120_000

describe.skipIf(!hasLinux).each(['linux-6.1', 'linux-6.12'] as const)('the symbols of %s', (guest) => {
  it('are those of /proc/kallsyms', { timeout: TIMEOUT }, () => {
    const machine = new GuestMachine({ guest }).boot()
    const ram = machine.vmm.ramView(memoryMap.ram.base, 64 * 2 ** 20)
    if (ram === undefined) throw new Error('no RAM')
    const found = findSymbols(ram)
    if (!found.ok) throw new Error(found.what)
    const { symbols } = found
    // The guest puts them together anew for every reader, which takes it a while.
    machine.shell('cat /proc/kallsyms >/symbols', 60)
    const told = machine.shell("awk 'NR%397==1;NR>30000{exit}' /symbols")
    const rows = [...told.matchAll(/^([0-9a-f]{16}) . (\S+)$/gm)].map(([, address = '', name = '']) => ({
      address: BigInt(`0x${address}`),
      name,
    }))
    expect(rows.length).toBeGreaterThan(50)
    expect(symbols.count).toBe(Number(machine.shell('wc -l </symbols')))
    for (const { address, name } of rows) {
      const at = symbols.at(address)
      // Several may be at one address.
      expect(at?.offset, `offset of ${name}`).toBe(0)
      expect(at?.name === name || symbols.find(name).includes(address), `name ${name}`).toBe(true)
    }
    // Two drivers have one each.
    const handlers = symbols.find('gic_handle_irq')
    const lines = machine.shell('grep gic_handle_irq /symbols')
    expect([...lines.matchAll(/^([0-9a-f]{16}) t gic_handle_irq$/gm)].map(([, at]) => BigInt(`0x${at}`))).toEqual(
      handlers,
    )
    expect(handlers.length).toBeGreaterThan(1)
    expect(symbols.at((handlers[1] ?? 0n) + 4n)).toEqual({ name: 'gic_handle_irq', offset: 4 })
    expect(symbols.at(0n)).toBeUndefined()
    expect(symbols.at(0xffff_ffff_ffff_fff0n)).toBeUndefined()
  })
})

describe('memory without symbols', () => {
  it('is told from such with symbols in a sentence', () => {
    expect(findSymbols(new Uint8Array(1 << 16))).toMatchObject({ ok: false })
    const bytes = new Uint8Array(1 << 16)
    let seed = 1
    for (let i = 0; i < bytes.length; i++) bytes[i] = (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 24
    expect(findSymbols(bytes)).toMatchObject({ ok: false })
    bytes.set(
      [...'0123456789'].flatMap((digit) => [digit.charCodeAt(0), 0]),
      4000,
    )
    expect(findSymbols(bytes)).toMatchObject({ ok: false })
  })
})
