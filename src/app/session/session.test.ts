import { afterEach, describe, expect, it, vi } from 'vitest'
import { affinityOf } from '../../pure/arch/affinity.ts'
import { defaultBlueprint } from '../../pure/blueprint/blueprint.ts'
import type { Command, RestoreStopView } from '../../pure/protocol/commands.ts'
import type { MachineView, SpiView } from '../../pure/protocol/views.ts'
import { callText } from '../../pure/uapi/calls.ts'
import { createSession, differs } from './session.ts'
import { MOST_SLOTS } from './snapshots.ts'
import type { KeptSlot, SlotStore, SpoiltSlot } from './slot-store.ts'
import { openPort } from './worker-port.ts'
import { cpuView } from '../../testing/cpu-view.ts'

const IMAGE = new Uint8Array(64)
IMAGE.set([0x41, 0x52, 0x4d, 0x64], 56)
const MANIFEST = {
  guests: [{ id: 'linux-6.1', title: 'Linux', kernel: 'kernel', initrd: 'initrd', append: 'console=ttyAMA0' }],
}
const moved = affinityOf({ aff3: 1, aff2: 0, aff1: 0, aff0: 2 })

/** What a browser keeps, or why it keeps nothing. */
const slotStore = (refusal?: string): SlotStore & { readonly kept: KeptSlot[]; readonly spoilt: SpoiltSlot[] } => {
  const kept: KeptSlot[] = []
  const spoilt: SpoiltSlot[] = []
  const answer = <T>(act: () => T) =>
    Promise.resolve(refusal === undefined ? { ok: true as const, value: act() } : { ok: false as const, what: refusal })
  return {
    kept,
    spoilt,
    all: () => answer(() => ({ slots: [...kept], spoilt: [...spoilt] })),
    keep: (slot) =>
      answer(() => {
        kept.push(slot)
        return undefined
      }),
    forget: (id) =>
      answer(() => {
        const place = kept.findIndex((slot) => slot.id === id)
        if (place >= 0) kept.splice(place, 1)
        return undefined
      }),
  }
}

/** A session beside a worker that writes down what it is asked. */
const bench = (answer: (command: Command) => unknown, store = slotStore()) => {
  const asked: Command[] = []
  let hear: (message: unknown) => void = () => {}
  const port = openPort({
    post: (message, buffers) => {
      const { id, command } = structuredClone(message, { transfer: [...buffers] })
      asked.push(command)
      queueMicrotask(() => hear({ kind: 'answer', id, answer: answer(command) }))
    },
    listen: (listener) => {
      hear = listener
    },
  })
  const files: Record<string, BodyInit> = {
    'http://here/guests/linux/manifest.json': JSON.stringify(MANIFEST),
    'http://here/guests/linux/kernel': IMAGE,
    'http://here/guests/linux/initrd': '070701',
  }
  vi.stubGlobal('fetch', async (url: URL) => {
    const body = files[url.href]
    return body === undefined ? new Response('', { status: 404 }) : new Response(body)
  })
  const session = createSession(port, 'http://here/', store)
  /** What the worker has under a name. */
  const kept = (name: string | undefined) =>
    asked.findLast((command) => command.command === 'keepFile' && command.name === name)
  return {
    session,
    asked,
    kept,
    files,
    say: (message: unknown) => hear(message),
    state: () => session.store.getState(),
  }
}

const obedient = ({ command }: Command): unknown => {
  if (command === 'build') return { ok: true, calls: [] }
  if (command === 'kernelLog') return { ok: false, what: 'No log.' }
  return { ok: true, answer: { ok: true, value: 5n } }
}

const SPI: SpiView = {
  intid: 33,
  enabled: true,
  pending: false,
  active: false,
  line: false,
  priority: 0xa0,
  edge: false,
  irouter: 0n,
}

afterEach(() => vi.unstubAllGlobals())

describe('a session', () => {
  it('fetches the prepared guest and builds the first machine of it', async () => {
    const { session, asked, kept, state } = bench(obedient)
    session.edit({ edit: 'setGuest', guest: { id: 'linux-6.1', append: 'maxcpus=2' } })
    await session.start()
    const build = asked.find((command) => command.command === 'build')
    expect(kept(build?.guest.kernel)).toMatchObject({ bytes: IMAGE })
    expect(kept(build?.guest.initrd)).toMatchObject({ bytes: new TextEncoder().encode('070701') })
    expect(build?.guest.append).toBe('console=ttyAMA0')
    expect(build?.blueprint.guest.append).toBe('maxcpus=2')
    expect(state().running).toBe(state().draft)
    expect(state().loading?.stage).toBe('boot')
  })

  it('hands a file of the guest over once, for one boot after another', async () => {
    const { session, asked } = bench(obedient)
    await session.start()
    await session.boot()
    await session.boot()
    const guests = asked.flatMap((command) => (command.command === 'build' ? [command.guest] : []))
    expect(guests).toHaveLength(3)
    expect(new Set(guests.map(({ kernel }) => kernel)).size).toBe(1)
    expect(asked.filter(({ command }) => command === 'keepFile')).toHaveLength(2)
  })

  it('boots until the guest says that it is ready, even in two parts', async () => {
    const { session, say, state } = bench(obedient)
    await session.start()
    const utf8 = new TextEncoder()
    say({ kind: 'console', bytes: utf8.encode('...\r\ngue') })
    expect(state().loading?.stage).toBe('boot')
    say({ kind: 'console', bytes: utf8.encode('st: ready\r\n') })
    expect(state().loading).toBeUndefined()
  })

  it('names the stage of a boot by what the kernel prints, and never goes back', async () => {
    const { session, say, state } = bench(obedient)
    await session.start()
    const print = (text: string): void => say({ kind: 'console', bytes: new TextEncoder().encode(text) })
    print('[    0.000000] Booting Linux on physical CPU 0x0')
    expect(state().loading?.step).toBe(0)
    print('devtmpfs: initialized')
    expect(state().loading?.step).toBe(2)
    print('smp: Bringing up secondary CPUs')
    expect(state().loading?.step).toBe(2)
  })

  it('keeps what the kernels of the machines before have said, two of them', async () => {
    let boots = 0
    const { session, state } = bench((command) => {
      if (command.command === 'build') boots++
      if (command.command !== 'kernelLog') return obedient(command)
      return boots === 2
        ? { ok: false, what: 'No log.' }
        : { ok: true, lines: [{ level: 6, seconds: boots, text: 'hi' }] }
    })
    await session.start()
    expect(state().earlier).toEqual([])
    const first = state().running
    session.edit({ edit: 'setRuleSet', ruleSet: 'patch-v1' })
    await session.boot()
    expect(state().earlier).toEqual([{ blueprint: first, lines: [{ level: 6, seconds: 1, text: 'hi' }] }])
    expect(state().log).toBeUndefined()
    for (let again = 0; again < 4; again++) await session.boot()
    // The second had none.
    expect(state().earlier.map(({ lines }) => lines[0]?.seconds)).toEqual([5, 4])
  })

  it('cancels a boot by switching the machine off, and a fetch by breaking it off', async () => {
    const { session, asked, state } = bench(obedient)
    await session.start()
    session.cancel()
    expect(state().loading).toBeUndefined()
    expect(asked.at(-1)).toEqual({ command: 'power', action: 'off' })
    const builds = asked.filter(({ command }) => command === 'build').length
    const again = session.boot()
    session.cancel()
    await again
    expect(asked.filter(({ command }) => command === 'build')).toHaveLength(builds)
    expect(state().trouble).toBeUndefined()
  })

  it('says in a sentence that there is no guest at all', async () => {
    const { session, files, state, asked } = bench(obedient)
    delete files['http://here/guests/linux/manifest.json']
    await session.start()
    expect(state().trouble).toMatch(/guests\/gicsh.s could not be fetched: the server answers 404/)
    expect(asked.map(({ command }) => command)).toEqual(['trace'])
  })

  it('starts with the embedded program where no Linux is prepared, and says so', async () => {
    const { session, files, state, asked, kept } = bench(obedient)
    delete files['http://here/guests/linux/manifest.json']
    files['http://here/guests/gicsh.s'] = 'b .'
    await session.start()
    const build = asked.find((command) => command.command === 'build')
    expect(build?.blueprint.guest.id).toBe('gicsh')
    expect(kept(build?.guest.kernel)).toMatchObject({ bytes: Uint8Array.of(0x00, 0x00, 0x00, 0x14) })
    expect(state().trouble).toMatch(/^No Linux is prepared here/)
  })

  it('names the line of a program that cannot be assembled', async () => {
    const { session, state } = bench(obedient)
    session.edit({ edit: 'setGuest', guest: { id: 'gicsh', append: '' } })
    session.writeProgram('  nop\n  frobnicate x0\n')
    await session.boot()
    expect(state().trouble).toMatch(/^Line 2, column 3: .*frobnicate/)
  })

  it('keeps the machine that runs when a build is refused', async () => {
    let refuse = false
    const { session, state } = bench((command) =>
      refuse && command.command === 'build' ? { ok: false, what: 'The kernel is cut off.' } : obedient(command),
    )
    await session.start()
    const { running } = state()
    refuse = true
    session.edit({ edit: 'setAffinity', vcpu: 2, affinity: moved })
    await session.boot()
    expect(state().running).toBe(running)
    expect(state().trouble).toBe('The kernel is cut off.')
    expect(differs(state())).toBe(true)
  })

  it('takes an edit back and brings it again', () => {
    const { session, state } = bench(obedient)
    session.edit({ edit: 'setAffinity', vcpu: 2, affinity: moved })
    expect(state().draft.affinities).toEqual({ 2: moved })
    session.undo()
    expect(state().draft.affinities).toEqual({})
    session.redo()
    expect(state().draft.affinities).toEqual({ 2: moved })
  })

  describe('with a fault to inject', () => {
    const running = (affinity = 0): MachineView => ({
      virtualNs: 0,
      gicdCtlr: 0x52,
      gicdTyper: 0,
      cpus: [0, 1].map((index) => cpuView(index, index === 0 ? affinity : 1)),
      frames: [],
      spis: [{ ...SPI, irouter: 1n }],
      interrupts: undefined,
      its: undefined,
    })
    const calls = (asked: readonly Command[]) =>
      asked.flatMap((command) => (command.command === 'call' ? [callText(command.call)] : []))

    it('makes its calls, and takes them back and brings them again with the edits', async () => {
      const { session, asked, state } = bench(obedient)
      session.edit({ edit: 'setAffinity', vcpu: 2, affinity: moved })
      session.store.setState({ machine: running(), selected: 0 })
      await session.inject('gain-aff3')
      expect(state().injected).toMatchObject({ what: expect.stringContaining('to 1.0.0.0'), answer: { ok: true } })
      expect(state().injected?.step).toBe(state().undo.at(-1))
      session.undo()
      session.redo()
      const [there, back] = [0x1_8000_0000n, 0x8000_0000n].map(
        (value) => `KVM_SET_ONE_REG vcpu 0 MPIDR_EL1 = 0x${value.toString(16)}`,
      )
      expect(calls(asked)).toEqual([there, back, there])
      session.undo()
      session.undo()
      expect(state().draft.affinities).toEqual({})
    })

    it('is what is taken back, though KVM has not answered yet', async () => {
      const { session, asked, state } = bench(obedient)
      session.edit({ edit: 'setAffinity', vcpu: 2, affinity: moved })
      session.store.setState({ machine: running(), selected: 0 })
      const injected = session.inject('gain-aff3')
      session.undo()
      await injected
      await Promise.resolve()
      expect(calls(asked)).toHaveLength(2)
      expect(state().draft.affinities).toEqual({ 2: moved })
    })

    it('leaves nothing of one that KVM refuses half-way', async () => {
      let made = 0
      const { session, asked, state } = bench((command) =>
        command.command === 'call' && ++made === 3
          ? { ok: true, answer: { ok: false, errno: 'EBUSY', why: 'Fixed.', source: 'here' } }
          : obedient(command),
      )
      session.store.setState({ machine: running(), selected: 0 })
      await session.inject('stale-route')
      expect(state().injected?.answer).toMatchObject({ ok: false, errno: 'EBUSY' })
      expect(state().undo).toEqual([])
      // Both halves of the route, the refusal, and what undoes them.
      expect(calls(asked)).toHaveLength(3 + 3)
      expect(calls(asked).at(-2)).toContain('= 0x1')
    })

    it('says why one cannot be, and forgets calls on a machine that is gone', async () => {
      const { session, state } = bench(obedient)
      await session.inject('gain-aff3')
      expect(state().injected).toEqual({ what: 'No vCPU 0 runs.', answer: undefined, step: undefined })
      session.store.setState({ machine: running() })
      await session.inject('gain-aff3')
      expect(state().undo).toHaveLength(1)
      await session.start()
      expect(state().undo).toEqual([])
    })
  })

  describe('with snapshots', () => {
    const FILE = new TextEncoder().encode('GICscope snapshot\n and more')
    const STOP: RestoreStopView = {
      what: 'ICC_CTLR_EL1 of vCPU 0',
      call: { call: 'KVM_SET_DEVICE_ATTR', group: 6, attr: 0n, value: 0x8400n },
      answer: { ok: false, errno: 'EINVAL', why: 'A3V is not the host’s.', source: 'vgic-sys-reg-v3.c' },
      wanted: 0x8400n,
      had: 0x400n,
    }
    const saved = { ...defaultBlueprint, vcpus: 2, ruleSet: 'full-aff3' } as const
    const answers = (command: Command): unknown => {
      if (command.command === 'readSnapshot')
        return {
          ok: true,
          blueprint: saved,
          virtualNs: 5e8,
          differences: [{ what: 'PC of vCPU 0', before: 1n }],
          total: 1,
        }
      if (command.command === 'restore' && command.onto !== undefined)
        return { ok: false, what: 'ICC_CTLR_EL1 of vCPU 0 is refused.', calls: [], stop: STOP }
      return command.command === 'restore' ? { ok: true, blueprint: saved, calls: [] } : obedient(command)
    }
    const dropped = async (store = slotStore()) => {
      const made = bench(answers, store)
      await made.session.dropFiles([new File([FILE], 'mine.gicscope')])
      return made
    }

    it('keeps a file that is dropped, and shows what is in it', async () => {
      const { session, state } = await dropped()
      expect(state().slots).toMatchObject([{ name: 'mine.gicscope', blueprint: saved, total: 1 }])
      expect(session.view.store.getState().dialog).toBe('snapshots')
    })

    it('keeps so many, refuses more, and has room again when one is forgotten', async () => {
      const store = slotStore()
      const { session, state } = await dropped(store)
      for (let i = 1; i < MOST_SLOTS; i++) await session.addSnapshot(`${i}`, FILE.slice())
      expect(state().trouble).toBeUndefined()
      const { slots } = state()
      expect(slots.map(({ name }) => name)).toEqual(['7', '6', '5', '4', '3', '2', '1', 'mine.gicscope'])
      expect(new Set(store.kept.map(({ id }) => id)).size).toBe(MOST_SLOTS)
      await session.addSnapshot('one more', FILE.slice())
      expect(state().trouble).toBe(`${MOST_SLOTS} snapshots are kept, and no more can be: forget one first.`)
      expect(state().slots).toBe(slots)
      await session.forgetSnapshot(slots[0]?.id ?? 0)
      await session.addSnapshot('one more', FILE.slice())
      expect(
        state()
          .slots.map(({ name }) => name)
          .slice(0, 2),
      ).toEqual(['one more', '6'])
      expect(store.kept).toHaveLength(MOST_SLOTS)
    })

    it('shows on the next visit what was kept on this one, and goes on with it', async () => {
      const store = slotStore()
      await dropped(store)
      const { session, state, asked } = bench(answers, store)
      await session.start()
      expect(state().slots).toMatchObject([{ name: 'mine.gicscope', blueprint: saved }])
      await session.restoreSnapshot(state().slots[0]?.id ?? 0, { onto: false })
      expect(state().running).toEqual(saved)
      expect(asked.findLast(({ command }) => command === 'restore')).toMatchObject({ file: FILE })
    })

    it('keeps one for this visit where the browser keeps nothing, and says why', async () => {
      const { state } = await dropped(slotStore('The quota is exceeded.'))
      expect(state().slots).toMatchObject([{ name: 'mine.gicscope', unkept: 'The quota is exceeded.' }])
    })

    it('tells a kept one that turned out to be damaged by its name, and forgets it', async () => {
      const store = slotStore()
      await dropped(store)
      const { session, state } = bench(
        (command) =>
          command.command === 'readSnapshot' ? { ok: false, what: 'The snapshot is truncated.' } : answers(command),
        store,
      )
      await session.recallSnapshots()
      await session.compareSnapshots()
      expect(state().slots).toEqual([])
      expect(state().spoilt).toMatchObject([{ name: 'mine.gicscope', what: 'The snapshot is truncated.' }])
      await session.forgetSnapshot(state().spoilt[0]?.id ?? 0)
      expect(state().spoilt).toEqual([])
      expect(store.kept).toEqual([])
    })

    it('goes on with one, and the form shows the machine that does', async () => {
      const { session, state } = await dropped()
      session.edit({ edit: 'setVcpus', vcpus: 8 })
      await session.restoreSnapshot(state().slots[0]?.id ?? 0, { onto: false })
      expect(state().running).toEqual(saved)
      expect(differs(state())).toBe(false)
      expect(state().loading).toBeUndefined()
    })

    it('says why KVM refuses it elsewhere, and changes nothing', async () => {
      const { session, state, asked } = await dropped()
      const { draft } = state()
      await session.restoreSnapshot(state().slots[0]?.id ?? 0, { onto: true, order: 'vcpus' })
      expect(state()).toMatchObject({
        trouble: 'ICC_CTLR_EL1 of vCPU 0 is refused.',
        running: undefined,
        refusedPlan: [],
        refusedRestore: { slot: state().slots[0]?.id, stop: STOP },
      })
      expect(state().draft).toBe(draft)
      expect(asked.at(-1)).toMatchObject({ command: 'restore', onto: draft, order: 'vcpus' })
      expect(state().loading).toBeUndefined()
    })
  })

  it('runs the machine again to a moment of its run, and shows the calls that made it', async () => {
    const { session, asked, state } = bench((command) =>
      command.command === 'rerun'
        ? { ok: true, calls: [{ call: { call: 'KVM_CREATE_VM' }, answer: { ok: true } }] }
        : obedient(command),
    )
    await session.start()
    const { running } = state()
    await session.rerunTo(5e6)
    expect(asked.at(-1)).toEqual({ command: 'rerun', until: 5e6 })
    expect(state()).toMatchObject({ running, loading: undefined, calls: [{ call: { call: 'KVM_CREATE_VM' } }] })
  })

  it('says why a machine cannot be run again', async () => {
    const { session, state } = bench(() => ({ ok: false, what: 'It has no guest.' }))
    await session.rerunTo(5e6)
    expect(state().trouble).toBe('It has no guest.')
  })

  it('sends an edit of now as a KVM call, reads back what is in effect, and remembers both', async () => {
    const { session, asked, state } = bench((command) => {
      if (command.command !== 'call') return obedient(command)
      if (command.call.call === 'KVM_GET_ONE_REG') return { ok: true, answer: { ok: true, value: 0x8000_0002n } }
      return { ok: true, answer: { ok: false, errno: 'EBUSY', why: 'It has run.', source: 'here' } }
    })
    const answer = await session.setAffinityNow(2, moved)
    expect(answer).toMatchObject({ ok: false, errno: 'EBUSY' })
    expect(asked.flatMap((command) => (command.command === 'call' ? [command.call.call] : []))).toEqual([
      'KVM_SET_ONE_REG',
      'KVM_GET_ONE_REG',
    ])
    expect(state().calls.at(-1)).toMatchObject({ by: 'you', effective: 0x8000_0002n })
  })

  it('routes an SPI by both words and stops at a refusal', async () => {
    const { session, asked } = bench((command) =>
      command.command === 'call'
        ? { ok: true, answer: { ok: false, errno: 'EBUSY', why: 'Not now.', source: 'here' } }
        : obedient(command),
    )
    await session.setRouteNow(33, moved)
    expect(asked.filter(({ command }) => command === 'call')).toHaveLength(1)
  })

  it('takes a dropped kernel as an own guest, and refuses what is none', async () => {
    const { session, state } = bench(obedient)
    await session.dropFiles([new File(['hello'], 'notes.txt')])
    expect(state().trouble).toMatch(/^notes.txt is not a kernel/)
    await session.dropFiles([new File([IMAGE], 'Image')])
    expect(state().draft.guest.id).toBe('own')
    expect(state().own.kernel?.name).toBe('Image')
    expect(state().trouble).toBeUndefined()
  })

  it('reports an answer it cannot read', async () => {
    const { session, state } = bench(() => 'nonsense')
    await session.start()
    expect(state().trouble).toMatch(/^The machine could not be built: The answer to "build" was not understood/)
  })
})
