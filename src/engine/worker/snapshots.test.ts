/** A machine saved in the page and gone on with, there and on another host. */
import { describe, expect, it } from 'vitest'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import { routeCalls } from '../../pure/blueprint/plan.ts'
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import { orderText } from '../../pure/image/order-text.ts'
import { ORDERS } from '../../pure/image/orders.ts'
import { answers } from '../../pure/protocol/commands.ts'
import { VGIC_GROUP } from '../../pure/uapi/vgic-attr.ts'
import { GuestMachine } from '../../testing/guest-machine.ts'
import { restoreVmm } from '../vmm/restore-vmm.ts'
import { createVmm } from '../vmm/vmm.ts'
import { Host } from './host.ts'
import { readSnapshot } from './snapshots.ts'

const BLUEPRINT = { ...defaultBlueprint, vcpus: 2, memory: 64 * 2 ** 20, guest: { id: 'gicsh', append: '' } } as const

describe('a snapshot', { timeout: 120_000 }, () => {
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
  const restored = (order?: string) => {
    const made = host()
    const answer = made.host.handle({
      command: 'restore',
      file,
      engine: 'translator',
      ...(order === undefined ? {} : { order }),
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

  it('is put together in the order that is asked for, and goes on', () => {
    const { host: live, said, answer } = restored(orderText(ORDERS.qemu))
    if (!answer.ok || !('calls' in answer)) throw new Error('it is refused')
    const groups = (answer.calls ?? []).flatMap(({ call }) => (call.call === 'KVM_SET_DEVICE_ATTR' ? [call.group] : []))
    // QEMU writes redistributors before all of the distributor but GICD_CTLR, and no GICD_IIDR.
    const words = groups.filter((group) => group === VGIC_GROUP.DIST_REGS || group === VGIC_GROUP.REDIST_REGS)
    expect(words.slice(0, 2)).toEqual([VGIC_GROUP.DIST_REGS, VGIC_GROUP.REDIST_REGS])
    live.handle({ command: 'input', bytes: new TextEncoder().encode('help\r') })
    for (let i = 0; i < 200 && !said().includes('sgi'); i++) live.advance()
    expect(said()).toContain('sgi')
  })

  it('is not put together in an order that cannot be read, whose line is named, or that leaves something out', () => {
    expect(restored('vcpus\ngicc').answer).toEqual({
      ok: false,
      what: expect.stringMatching(/^The order of restoring: Line 2: "gicc" is no stage/),
    })
    expect(restored('vcpus').answer).toMatchObject({ ok: false, what: expect.stringContaining('cannot be restored') })
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
    expect(elsewhere).toMatchObject({
      ok: false,
      what: expect.stringContaining('ICC_CTLR_EL1'),
      stop: {
        what: 'ICC_CTLR_EL1 of vCPU 0',
        call: { call: 'KVM_SET_DEVICE_ATTR' },
        answer: { ok: false, errno: 'EINVAL' },
        wanted: 0x8400n,
        had: 0x400n,
      },
    })
    expect(answers.restore.safeParse(elsewhere).success).toBe(true)
    expect(live.handle({ command: 'snapshot' })).toMatchObject({ ok: true })
  })
})
