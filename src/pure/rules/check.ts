/** What is worth saying about a blueprint before it runs: one sentence each, with the rule it follows from. */
import { aff3Of, affinityLevels, affinityText, SGI_LIST } from '../arch/affinity.ts'
import { GICR_SIZE } from '../arch/gic/gicr.ts'
import { irqName } from '../arch/intid.ts'
import type { Blueprint } from '../blueprint/blueprint.ts'
import { canRunGicV2, hasGicV3 } from '../blueprint/host.ts'
import type { HostProfile } from '../blueprint/host.ts'
import { memoryMap } from '../blueprint/memory-map.ts'
import { aboutRegions } from './check-regions.ts'
import { bySeverity } from './finding.ts'
import type { Finding } from './finding.ts'
import { forecast } from './forecast.ts'
import type { Forecast, RouteForecast, VcpuForecast } from './forecast.ts'

const HOST = { kind: 'host', index: 0 } as const

/** Where the last redistributor ends. */
const lastFrameEnd = (vcpus: number): number => {
  let left = vcpus
  let end = 0
  for (const { base, frames } of memoryMap.redistributors) {
    if (left > 0) end = base + Math.min(left, frames) * GICR_SIZE
    left -= frames
  }
  return end
}

/** What a host's guests need, for the redistributors of so many vCPUs to lie within. */
export const neededIpaBits = (vcpus: number): number => Math.ceil(Math.log2(lastFrameEnd(vcpus)))

/** How many vCPUs have their redistributors where a host's guests can have memory. */
export const fittingVcpus = ({ ipaBits }: HostProfile): number => {
  let fit = 0
  for (const { base, frames } of memoryMap.redistributors) {
    const room = Math.floor((2 ** ipaBits - base) / GICR_SIZE)
    fit += Math.max(0, Math.min(room, frames))
  }
  return fit
}

const vcpuFinding = (severity: Finding['severity'], vcpu: number, text: string, source: string): Finding => ({
  severity,
  text,
  where: { kind: 'vcpu', index: vcpu },
  source,
})

/** A GICv2 knows no affinities: what there is to say is whether the host has one. */
const aboutGicV2 = ({ host }: Blueprint): readonly Finding[] =>
  canRunGicV2(host)
    ? []
    : [
        {
          severity: 'error',
          text: 'This host cannot emulate a GICv2: KVM_CREATE_DEVICE(ARM_VGIC_V2) fails with ENODEV.',
          where: HOST,
          source: 'arch/arm64/kvm/vgic/vgic-init.c: kvm_vgic_create()',
        },
      ]

const aboutHost = (blueprint: Blueprint, { rules, vm, vcpus }: Forecast): readonly Finding[] => {
  if (blueprint.gic === 2) return aboutGicV2(blueprint)
  const findings: Finding[] = []
  const add = (severity: Finding['severity'], text: string, source: string): void => {
    findings.push({ severity, text, where: HOST, source })
  }
  if (!hasGicV3(blueprint.host)) {
    add(
      'error',
      'This host has a GICv2 only: KVM_CREATE_DEVICE(ARM_VGIC_V3) fails with ENODEV.',
      'arch/arm64/kvm/vgic/vgic-init.c: kvm_vgic_create()',
    )
    return findings
  }
  const end = lastFrameEnd(blueprint.vcpus)
  if (end > 2 ** blueprint.host.ipaBits) {
    add(
      'error',
      `The redistributors of ${blueprint.vcpus} vCPUs end at 0x${end.toString(16)}, and this host's guests have ${blueprint.host.ipaBits} address bits: KVM_SET_DEVICE_ATTR fails with E2BIG.`,
      'arch/arm64/kvm/vgic/vgic-kvm-device.c: vgic_check_iorange()',
    )
  }
  const clusters = new Set(vcpus.map(({ running }) => aff3Of(running)))
  const spread = clusters.size > 1 || !clusters.has(0)
  if (spread) {
    add(
      'info',
      'No VM needs Aff3: 512 vCPUs fit Aff1 and Aff0. It is for trying topologies, and software that reads all four levels.',
      'arch/arm64/kvm/sys_regs.c: reset_mpidr()',
    )
  }
  if (spread && !rules.iccCtlrA3vGuest.decide({ vm })) {
    add(
      'warning',
      'vCPUs have Aff3 != 0, and the guest reads ICC_CTLR_EL1.A3V = 0: by the architecture it cannot send SGIs to them.',
      'GIC architecture IHI 0069, ICC_CTLR_EL1.A3V',
    )
  }
  if (spread && !rules.distributorTyperA3v.decide({ vm })) {
    add(
      'warning',
      'vCPUs have Aff3 != 0, and the guest reads GICD_TYPER.A3V = 0: by the architecture no SPI can be routed to them.',
      rules.distributorTyperA3v.source,
    )
  }
  if (rules.trapForA3v.decide({ vm })) {
    add(
      'info',
      `This VM has A3V = ${Number(vm.guestA3v)} and its host ${Number(vm.host.a3v)}: KVM traps ICC_CTLR_EL1.`,
      rules.trapForA3v.source,
    )
  }
  return findings
}

const missingRedistributor = ({ rules }: Forecast, vcpu: VcpuForecast): Finding | undefined => {
  const { index, stored, running, shown, finds } = vcpu
  if (finds === index) return undefined
  const want = affinityText(stored)
  if (finds !== undefined) {
    return vcpuFinding(
      'error',
      index,
      `vCPU ${index} looks for ${want} and finds the redistributor of vCPU ${finds}.`,
      rules.typerAffinity.source,
    )
  }
  const reset = running !== stored
  const cause = reset
    ? `its MPIDR_EL1 is ${affinityText(running)} once it runs`
    : `GICR_TYPER shows ${affinityText(shown)}`
  return vcpuFinding(
    'error',
    index,
    `vCPU ${index} will find no redistributor: it looks for ${want}, but ${cause}.`,
    reset ? rules.mpidrAtCpuOn.source : rules.typerAffinity.source,
  )
}

const aboutVcpu = (all: Forecast, vcpu: VcpuForecast): readonly Finding[] => {
  const { rules, vm } = all
  const { index, wanted, stored, refused } = vcpu
  const want = affinityText(wanted)
  if (refused !== undefined) {
    return [
      vcpuFinding(
        'error',
        index,
        `vCPU ${index} cannot be ${want}: KVM_SET_ONE_REG(MPIDR_EL1) fails with ${refused.errno}. ${refused.why}`,
        refused.source,
      ),
    ]
  }
  const findings: Finding[] = []
  if (stored !== wanted) {
    findings.push(
      vcpuFinding(
        'error',
        index,
        `vCPU ${index} is to be ${want}, but KVM stores ${affinityText(stored)} and reports no error.`,
        rules.setMpidr.source,
      ),
    )
  }
  // The boot CPU needs no CPU_ON.
  if (index > 0 && vcpu.cpuOn !== index) {
    const outcome =
      vcpu.cpuOn === undefined ? 'answers INVALID_PARAMS' : `addresses vCPU ${vcpu.cpuOn}, which is at that affinity`
    findings.push(
      vcpuFinding(
        'error',
        index,
        `vCPU ${index} will stay off: CPU_ON(${affinityText(stored)}) ${outcome}.`,
        rules.cpuOnAffinity.source,
      ),
    )
  }
  if (vm.gic === 2) return findings
  const missing = missingRedistributor(all, vcpu)
  if (missing !== undefined) findings.push(missing)
  if (affinityLevels(vcpu.running).aff0 >= SGI_LIST) {
    findings.push(
      vcpuFinding(
        'warning',
        index,
        `vCPU ${index} has Aff0 = 0x${affinityLevels(vcpu.running).aff0.toString(16)}: no SGI but a broadcast reaches it.`,
        rules.sgiAffinityCompare.source,
      ),
    )
  }
  return findings
}

const aboutRoute = ({ rules, vcpus }: Forecast, route: RouteForecast): readonly Finding[] => {
  const { intid, wanted, stored, target, note } = route
  const where = { kind: 'spi', index: intid } as const
  const name = `${irqName(intid)} (INTID ${intid})`
  const source = rules.irouterWrite.source
  const findings: Finding[] = []
  if (stored !== wanted) {
    const lands = target === undefined ? '' : `, which is vCPU ${target}`
    findings.push({
      severity: 'error',
      text: `${name} is to be routed to ${affinityText(wanted)}; GICD_IROUTER keeps ${affinityText(stored)}${lands}${note === undefined ? '' : `: ${note}`}.`,
      where,
      source,
    })
  }
  const at = target === undefined ? undefined : vcpus[target]
  if (at !== undefined && at.stored !== stored) {
    findings.push({
      severity: 'warning',
      text: `${name} goes to vCPU ${at.index}, which was at ${affinityText(stored)} when the route was written and is at ${affinityText(at.stored)} now.`,
      where,
      source: rules.retargetOnMpidrChange.source,
    })
  }
  if (target === undefined) {
    const meant = vcpus.find((vcpu) => vcpu.wanted === wanted)
    const who = meant === undefined ? 'no vCPU is there' : `vCPU ${meant.index} is meant, but is not found there`
    findings.push({
      severity: 'warning',
      text: `${name} has no target: GICD_IROUTER holds ${affinityText(stored)}, and ${who}. It will stay pending.`,
      where,
      source: rules.lookupAffinity.source,
    })
  }
  return findings
}

/** By the text of an affinity, the vCPUs that have it, where they are several. */
const sharedAffinities = ({ vcpus }: Forecast): ReadonlyMap<string, readonly number[]> => {
  const byAffinity = new Map<string, number[]>()
  for (const { index, stored } of vcpus) {
    const text = affinityText(stored)
    const same = byAffinity.get(text)
    if (same === undefined) byAffinity.set(text, [index])
    else same.push(index)
  }
  return new Map([...byAffinity].filter(([, indexes]) => indexes.length > 1))
}

const known = new WeakMap<Blueprint, readonly Finding[]>()

/** Errors first. Computed once for a document, however many ask. */
export const findings = (blueprint: Blueprint): readonly Finding[] => {
  const before = known.get(blueprint)
  if (before !== undefined) return before
  const made = makeFindings(blueprint)
  known.set(blueprint, made)
  return made
}

const makeFindings = (blueprint: Blueprint): readonly Finding[] => {
  const all = forecast(blueprint)
  const host = aboutHost(blueprint, all)
  const duplicates = [...sharedAffinities(all)].map(([text, [first = 0, ...others]]): Finding =>
    vcpuFinding(
      'error',
      others[0] ?? first,
      `vCPUs ${[first, ...others].join(', ')} share the affinity ${text}: a guest cannot tell them apart.`,
      all.rules.lookupAffinity.source,
    ),
  )
  return bySeverity([
    ...host,
    ...aboutRegions(blueprint, all),
    ...duplicates,
    ...all.vcpus.flatMap((vcpu) => aboutVcpu(all, vcpu)),
    ...all.routes.flatMap((route) => aboutRoute(all, route)),
  ])
}
