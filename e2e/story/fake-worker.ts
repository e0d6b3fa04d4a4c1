/** A worker without an engine: shows what the rules forecast, so that the page can be looked at by itself. */
import { mpidrOf, resetMpidr, typerAffinity } from '../../src/pure/arch/affinity.ts'
import { frameBase } from '../../src/pure/blueprint/frames.ts'
import type { Blueprint } from '../../src/pure/blueprint/blueprint.ts'
import { planOf } from '../../src/pure/blueprint/plan.ts'
import { forecast } from '../../src/pure/rules/forecast.ts'
import type { Channel } from '../../src/app/session/worker-port.ts'
import type { FromWorker, ToWorker } from '../../src/pure/protocol/messages.ts'
import type { CpuView, FrameView, SpiView } from '../../src/pure/protocol/views.ts'

const utf8 = new TextEncoder()
const LAST = 1n << 4n

const spi = (intid: number): SpiView => ({
  intid,
  enabled: true,
  pending: false,
  active: false,
  line: false,
  priority: 0xa0,
  edge: false,
  irouter: 0n,
  target: 0,
})

export const fakeWorker = (): Channel => {
  let hear: (message: unknown) => void = () => {}
  let blueprint: Blueprint | undefined
  let builds = 0
  let ns = 0
  const say = (message: FromWorker): void => hear(message)

  const cpus = (all: Blueprint): CpuView[] =>
    forecast(all).vcpus.map(({ index, running, finds }) => ({
      index,
      mpidr: index === 0 && running === 0 ? resetMpidr(0) : mpidrOf(running),
      state: finds === undefined ? 'off' : (index + Math.floor(ns / 3e8)) % 3 === 0 ? 'running' : 'waiting',
      instructions: ns / (index + 1),
      pc: 0xffff_8000_0801_1234n,
      el: 1,
      frozen: false,
      priorityMask: 0xf0,
      igrpen1: finds !== undefined,
      pending: ns % 4e8 < 1e8 ? [27] : [],
      active: [],
      enabled: [0, 1, 2, 3, 4, 5, 6, 27, ...(index === 0 ? [33] : [])],
      apList: [],
      listRegisters: [0n, 0n, 0n, 0n],
      vmcr: 0xf00c0002,
      hcr: 1,
    }))

  const frames = (all: Blueprint): FrameView[] =>
    forecast(all).vcpus.map(({ index, shown }) => ({
      base: frameBase(index),
      cpu: index,
      typer: typerAffinity.encode(shown) | (BigInt(index) << 8n) | (index === all.vcpus - 1 ? LAST : 0n),
      waker: 0,
    }))

  setInterval(() => {
    if (blueprint === undefined) return
    ns += 33e6
    say({
      kind: 'machine',
      update: {
        machine: builds,
        virtualNs: ns,
        gicdCtlr: 0x52,
        gicdTyper: 0,
        cpus: cpus(blueprint),
        frames: frames(blueprint),
        spis: [spi(33), { ...spi(34), irouter: 7n, target: undefined }],
      },
    })
    say({
      kind: 'run',
      run: { state: 'running', engine: 'translator', virtualNs: ns, instructions: ns, mips: 512.3, ratio: 0.5 },
    })
  }, 33)

  const answer = ({ command }: ToWorker): unknown => {
    switch (command.command) {
      case 'build': {
        blueprint = command.blueprint
        builds++
        ns = 0
        const lines = forecast(blueprint).vcpus.map(({ index, finds }) =>
          finds === undefined
            ? `CPU${index}: mpidr 100000002 has no re-distributor!`
            : `GICv3: CPU${index}: found redistributor ${index} region 0:0x${frameBase(index).toString(16)}`,
        )
        const text = lines.map((line, i) => `[    0.${String(81204 + i).padStart(6, '0')}] ${line}\r\n`).join('')
        setTimeout(() => say({ kind: 'console', bytes: utf8.encode(`${text}guest: ready\r\n/ # `) }), 50)
        return { ok: true, calls: planOf(blueprint).map((call) => ({ call, answer: { ok: true } })) }
      }
      case 'kernelLog':
        if (blueprint === undefined) return { ok: false, what: 'There is no machine yet.' }
        return {
          ok: true,
          lines: forecast(blueprint).vcpus.map(({ index, finds }) => ({
            level: finds === undefined ? 3 : 6,
            seconds: 0.08 + index / 1000,
            text:
              finds === undefined
                ? `CPU${index}: mpidr 100000002 has no re-distributor!`
                : `GICv3: CPU${index}: found redistributor ${index} region 0`,
          })),
        }
      case 'call':
        return {
          ok: true,
          answer:
            command.call.call === 'KVM_GET_ONE_REG'
              ? { ok: true, value: 0x1_8000_0002n }
              : {
                  ok: false,
                  errno: 'EBUSY',
                  why: 'The VM has run; the affinity of its CPUs is fixed.',
                  source: 'here',
                },
        }
      case 'input':
        say({ kind: 'console', bytes: command.bytes })
        return { ok: true }
      default:
        return { ok: true }
    }
  }

  return {
    post: (message) => setTimeout(() => say({ kind: 'answer', id: message.id, answer: answer(message) }), 1),
    listen: (listener) => {
      hear = listener
    },
  }
}
