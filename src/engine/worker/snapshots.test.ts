/** A machine saved in the page and gone on with, there and on another host. */
import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import { routeCalls } from '../../pure/blueprint/plan.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { GuestMachine } from '../../testing/guest-machine.ts'
import { restoreVmm } from '../vmm/restore-vmm.ts'
import { createVmm } from '../vmm/vmm.ts'
import { Host } from './host.ts'
import { readSnapshot } from './snapshots.ts'

const BLUEPRINT = { ...defaultBlueprint, vcpus: 2, memory: 64 * 2 ** 20, guest: { id: 'gicsh', append: '' } } as const

describe('a snapshot', { timeout: 60_000 }, () => {
  const machine = new GuestMachine({ guest: 'gicsh', blueprint: BLUEPRINT }).boot()
  const saved = machine.vmm.snapshot()
  if (!saved.ok) throw new Error(saved.what)
  const { file } = saved

  const host = (): { readonly host: Host; readonly said: () => string } => {
    const console: Uint8Array[] = []
    return {
      host: new Host({
        create: createVmm,
        restore: restoreVmm,
        now: () => performance.now(),
        date: () => 0,
        post: (message) => {
          if (message.kind === 'console') console.push(message.bytes)
        },
      }),
      said: () => new TextDecoder().decode(Buffer.concat(console)),
    }
  }
  const restored = (onto?: typeof BLUEPRINT) => {
    const made = host()
    const answer = made.host.handle({
      command: 'restore',
      file,
      engine: 'translator',
      ...(onto === undefined ? {} : { onto }),
    })
    return { ...made, answer }
  }

  it('differs in nothing from the machine it was taken of, and by name from one that went on', () => {
    const now = machine.vmm.image()
    if (!now.ok) throw new Error(now.what)
    expect(readSnapshot(file, now.image)).toMatchObject({
      ok: true,
      total: 0,
      differences: [],
      virtualNs: machine.vmm.now(),
    })
    for (const call of routeCalls(33, 1)) expect(machine.vmm.call(call)).toMatchObject({ ok: true })
    const later = machine.vmm.image()
    if (!later.ok) throw new Error(later.what)
    const read = readSnapshot(file, later.image)
    if (!read.ok) throw new Error(read.what)
    expect(read).toMatchObject({ total: 1, differences: [{ what: 'GICD_IROUTER33', before: 1n, after: 0n }] })
    expect(readSnapshot(file, undefined)).not.toHaveProperty('differences')
    expect(readSnapshot(file.subarray(0, 100), undefined)).toMatchObject({ ok: false })
  })

  it('goes on where it was, and says so when its guest resets it', () => {
    const { host: live, said, answer } = restored()
    expect(answer).toMatchObject({ ok: true, blueprint: BLUEPRINT })
    live.handle({ command: 'input', bytes: new TextEncoder().encode('help\r') })
    for (let i = 0; i < 200 && !said().includes('sgi'); i++) live.advance()
    expect(said()).toContain('sgi')
    expect(live.handle({ command: 'power', action: 'reset' })).toMatchObject({
      ok: false,
      what: expect.stringContaining('has no guest to start again with'),
    })
  })

  it('is refused elsewhere by the register that does not fit, and leaves the machine that runs', () => {
    const { host: live, answer } = restored()
    expect(answer.ok).toBe(true)
    const elsewhere = live.handle({
      command: 'restore',
      file,
      engine: 'translator',
      onto: { ...BLUEPRINT, host: HOST_PRESETS.H0 },
    })
    expect(elsewhere).toMatchObject({ ok: false, what: expect.stringContaining('ICC_CTLR_EL1') })
    expect(live.handle({ command: 'snapshot' })).toMatchObject({ ok: true })
  })
})
