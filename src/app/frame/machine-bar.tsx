/** The machine of the next boot: guest, KVM, host and CPUs. */
import { useState } from 'react'
import { CPU_MODEL_IDS, CPU_MODELS } from '../../pure/arch/cpu/models.ts'
import { defaultBlueprint, GIC_VERSIONS, maxVcpus } from '../../pure/blueprint/blueprint.ts'
import type { GuestChoice } from '../../pure/blueprint/blueprint.ts'
import { chooseGic } from '../../pure/blueprint/edits.ts'
import type { Edit } from '../../pure/blueprint/edits.ts'
import { HOST_PRESETS, HOST_PRESET_IDS, HOSTS, KERNEL_BASES, presetOf } from '../../pure/blueprint/host.ts'
import { ENGINES } from '../../pure/protocol/views.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { differs } from '../session/session.ts'
import { Select } from '../widgets/choice.tsx'
import type { Option } from '../widgets/choice.tsx'

const BASES = KERNEL_BASES.map((value) => ({ value, title: `Linux ${value}` }))
const HOST_OPTIONS = HOST_PRESET_IDS.map((value) => ({ value, title: HOSTS[value].title }))
/** A host that is none of the presets. */
const OTHER = { value: 'other', title: 'another' } as const
const GICS = [
  ...GIC_VERSIONS.map((gic) => ({ value: String(gic), title: `GICv${gic}`, gic, its: false })),
  { value: '3 + ITS', title: 'GICv3 + ITS', gic: 3, its: true },
] as const
const CPUS = CPU_MODEL_IDS.map((value) => ({ value, title: CPU_MODELS[value].title }))
const TIERS = ENGINES.map((value) => ({ value, title: value }))

/** What each guest is called where the list of prepared guests does not say. */
const GUEST_TITLES: Record<GuestChoice['id'], string> = {
  'linux-6.1': 'Linux 6.1',
  'linux-6.12': 'Linux 6.12',
  gicsh: 'gicsh, a GIC monitor in assembly',
  own: 'Own files',
}
const GUEST_ORDER = ['linux-6.1', 'linux-6.12', 'gicsh', 'own'] as const

export const MachineBar = () => {
  const session = useSession()
  const draft = useSessionState((state) => state.draft)
  const engine = useSessionState((state) => state.engine)
  const guests = useSessionState((state) => state.guests)
  const own = useSessionState((state) => state.own)
  const edited = useSessionState(differs)

  const options = GUEST_ORDER.flatMap((value): Option<GuestChoice['id']>[] => {
    const entry = guests?.find(({ id }) => id === value)
    const there = entry !== undefined || value === 'own' || value === 'gicsh' || value === draft.guest.id
    return there ? [{ value, title: entry?.title ?? GUEST_TITLES[value] }] : []
  })
  const host = presetOf(draft.host)
  const ownNames = [own.kernel, own.initrd, own.dtb].flatMap((file) => (file === undefined ? [] : [file.name]))

  return (
    <div className="bar fades" role="group" aria-label="Machine of the next boot">
      <Select
        label={<span className="obvious">Guest</span>}
        name="Guest"
        value={draft.guest.id}
        options={options}
        onChange={(id) => session.edit({ edit: 'setGuest', guest: { ...draft.guest, id } })}
      />
      {draft.guest.id === 'own' && (
        <span className="dim mono own">{ownNames.length === 0 ? 'drop files here' : ownNames.join(', ')}</span>
      )}
      <AppendField />
      <Select
        label="GIC"
        name="Version of the interrupt controller"
        value={draft.its ? '3 + ITS' : String(draft.gic)}
        options={GICS}
        onChange={(value) => {
          const chosen = GICS.find((option) => option.value === value)
          if (chosen === undefined) return
          const { gic, its } = chosen
          session.edit({ edit: 'several', edits: [chooseGic(draft, gic), { edit: 'setIts', its }] })
        }}
      />
      <Select
        label="KVM"
        name="Kernel base of KVM"
        value={draft.base}
        options={BASES}
        onChange={(base) => session.edit({ edit: 'setBase', base })}
      />
      <Select
        label="Host"
        name="Host"
        value={host ?? OTHER.value}
        options={host === undefined ? [...HOST_OPTIONS, OTHER] : HOST_OPTIONS}
        onChange={(id) => {
          if (id !== OTHER.value) session.edit({ edit: 'setHost', host: HOST_PRESETS[id] })
        }}
      />
      <VcpuField />
      <Select
        label={<span className="obvious">of</span>}
        name="Model of the CPUs"
        value={draft.cpu}
        options={CPUS}
        onChange={(cpu) => session.edit({ edit: 'setCpu', cpu })}
      />
      <MemorySelect />
      <Select
        label={<span className="obvious">Engine</span>}
        name="Engine"
        value={engine}
        options={TIERS}
        onChange={(value) => session.chooseEngine(value)}
      />
      <span className="grow" />
      <span className="pending" role="status">
        {edited ? 'edited' : ''}
      </span>
    </div>
  )
}

/** Applied when it is left or Enter is pressed, so that 512 is not three machines. */
const useTyped = (value: string, apply: (text: string) => boolean) => {
  const [typed, setTyped] = useState({ of: value, text: value })
  const text = typed.of === value ? typed.text : value
  const commit = (): void => {
    if (text !== value && !apply(text)) setTyped({ of: value, text: value })
  }
  return {
    value: text,
    onChange: (event: { target: { value: string } }) => setTyped({ of: value, text: event.target.value }),
    onBlur: commit,
    onKeyDown: (event: { key: string }) => {
      if (event.key === 'Enter') commit()
    },
  }
}

const MIB = 2 ** 20
const SIZES = [64, 128, 256, 512, 1024, 2048, 3072] as const
/** What Linux takes for each CPU before it runs anything; with less it starts fewer of them. */
const MIB_PER_VCPU = 2

/** So many vCPUs, and the memory they need where there is less. */
const vcpuEdit = (vcpus: number, memory: number): Edit => {
  const needed = SIZES.find((size) => size >= vcpus * MIB_PER_VCPU) ?? 0
  const edits: Edit[] = [{ edit: 'setVcpus', vcpus }]
  if (needed * MIB > memory) edits.push({ edit: 'setMemory', memory: needed * MIB })
  return { edit: 'several', edits }
}

const VcpuField = () => {
  const session = useSession()
  const vcpus = useSessionState((state) => state.draft.vcpus)
  const memory = useSessionState((state) => state.draft.memory)
  const gic = useSessionState((state) => state.draft.gic)
  const max = maxVcpus(gic)
  const typed = useTyped(String(vcpus), (text) => session.edit(vcpuEdit(Number(text), memory)))
  const number = Number(typed.value)
  const valid = Number.isInteger(number) && number >= 1 && number <= max
  return (
    <label className="labelled">
      vCPUs
      <input
        className="field vcpus"
        inputMode="numeric"
        aria-invalid={!valid}
        title={valid ? 'How many vCPUs the machine has' : `A VM with a vGICv${gic} has 1 to ${max} vCPUs`}
        {...typed}
      />
    </label>
  )
}

const MemorySelect = () => {
  const session = useSession()
  const memory = useSessionState((state) => state.draft.memory)
  const sizes = [...new Set([...SIZES, memory / MIB])].toSorted((a, b) => a - b)
  return (
    <Select
      label={<span className="obvious">RAM</span>}
      name="Memory of the guest"
      value={String(memory / MIB)}
      options={sizes.map((size) => ({ value: String(size), title: `${size} MiB` }))}
      onChange={(size) => session.edit({ edit: 'setMemory', memory: Number(size) * MIB })}
    />
  )
}

const AppendField = () => {
  const session = useSession()
  const guest = useSessionState((state) => state.draft.guest ?? defaultBlueprint.guest)
  const typed = useTyped(guest.append, (append) => session.edit({ edit: 'setGuest', guest: { ...guest, append } }))
  return (
    <input
      className="field append"
      aria-label="Added to the command line"
      placeholder="arguments"
      spellCheck={false}
      {...typed}
    />
  )
}
