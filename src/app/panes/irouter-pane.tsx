/** Where SPIs go: GICD_IROUTER of each one in use, its target, and an affinity to send it to instead. */
import { useState } from 'react'
import { AFFINITY_BYTES, affinityText, irouterAffinity } from '../../pure/arch/affinity.ts'
import type { Affinity } from '../../pure/arch/affinity.ts'
import { FIRST_SPI, irqName } from '../../pure/arch/intid.ts'
import { NR_IRQS } from '../../pure/blueprint/blueprint.ts'
import { memoryMap } from '../../pure/blueprint/memory-map.ts'
import type { SpiView } from '../../pure/protocol/views.ts'
import { rulesFor } from '../../pure/rules/rule-sets.ts'
import type { KvmAnswer } from '../../pure/uapi/calls.ts'
import { useSession, useSessionState } from '../session-context.ts'
import { AffinityField } from '../widgets/affinity-field.tsx'
import { AffinityText, hexParts, HexText } from '../widgets/affinity-text.tsx'
import { Answer } from '../widgets/answer.tsx'
import '../style/irouter.css'

const NONE: readonly SpiView[] = []

const DEVICES: Readonly<Record<number, string>> = {
  [FIRST_SPI + memoryMap.pl011.spi]: 'PL011',
  [FIRST_SPI + memoryMap.pl031.spi]: 'PL031',
}

const stateText = ({ enabled, pending, active, edge }: SpiView): string =>
  [enabled ? 'enabled' : 'disabled', pending && 'pending', active && 'active', edge ? 'edge' : 'level']
    .filter((word) => word !== false)
    .join(', ')

const IrouterPane = () => {
  const spis = useSessionState((state) => state.machine?.spis ?? NONE)
  const routes = useSessionState((state) => state.draft.routes)
  const [added, setAdded] = useState<readonly number[]>([])
  const shown = new Set([...spis.map(({ intid }) => intid), ...Object.keys(routes).map(Number), ...added])
  return (
    <div className="pane-body" tabIndex={0} role="region" aria-label="Routes of the SPIs">
      {shown.size === 0 && (
        <p className="empty">
          No SPI is in use: a guest that enables one, or a route that is written, has it stand here with its target.
        </p>
      )}
      {[...shown]
        .toSorted((a, b) => a - b)
        .map((intid) => (
          <Spi key={intid} intid={intid} spi={spis.find((one) => one.intid === intid)} next={routes[intid]} />
        ))}
      <AddSpi onAdd={(intid) => setAdded((before) => [...before, intid])} />
    </div>
  )
}

const Spi = (props: {
  readonly intid: number
  readonly spi: SpiView | undefined
  readonly next: Affinity | undefined
}) => {
  const { intid, spi, next } = props
  const session = useSession()
  const [answer, setAnswer] = useState<KvmAnswer | undefined>(undefined)
  const built = useSessionState((state) => state.running !== undefined)
  const affinity = spi === undefined ? 0 : irouterAffinity.decode(spi.irouter)
  return (
    <div className="spi" role="group" aria-label={`${irqName(intid)}, INTID ${intid}`}>
      <div>
        <b>{irqName(intid)}</b> <span className="dim">INTID {intid}</span>{' '}
        <span className="dim">
          {[DEVICES[intid], spi && stateText(spi)].filter((word) => word !== undefined).join(' · ') || 'not in use'}
        </span>
      </div>
      <div>
        {spi !== undefined && (
          <>
            <HexText parts={hexParts(spi.irouter, AFFINITY_BYTES.irouter)} /> <AffinityText affinity={affinity} />
          </>
        )}
      </div>
      <div className="wide">
        <Target spi={spi} affinity={affinity} />
        {next !== undefined && <span className="warn"> · next boot: {affinityText(next)}</span>}
      </div>
      <div className="wide">
        <AffinityField
          label={`Route of INTID ${intid}`}
          value={next ?? affinity}
          actions={[
            {
              title: 'next boot',
              hint: 'The VMM writes it before the machine runs',
              accent: true,
              act: (to) => session.edit({ edit: 'setRoute', intid, affinity: to }),
            },
            {
              title: 'now',
              hint: 'KVM_SET_DEVICE_ATTR DIST_REGS GICD_IROUTER, low word and high word, on the running machine',
              enabled: built,
              act: (to) => {
                session.setRouteNow(intid, to).then(setAnswer, (error: unknown) => session.report(String(error)))
              },
            },
          ]}
        />
        <Answer answer={answer} />
      </div>
    </div>
  )
}

const Target = ({ spi, affinity }: { readonly spi: SpiView | undefined; readonly affinity: Affinity }) => {
  const running = useSessionState((state) => state.running)
  if (spi === undefined) return <span className="dim">–</span>
  if (spi.target !== undefined) return <span className="ok">● vCPU {spi.target}</span>
  const title = running === undefined ? '' : rulesFor(running.ruleSet, running.base).irouterWrite.title
  return (
    <span>
      <span className="bad">✕ none</span>{' '}
      <span className="dim">
        no vCPU was found at {affinityText(affinity)}. {title}
      </span>
    </span>
  )
}

const AddSpi = ({ onAdd }: { readonly onAdd: (intid: number) => void }) => {
  const [text, setText] = useState('')
  const intid = Number(text)
  const valid = text !== '' && Number.isInteger(intid) && intid >= FIRST_SPI && intid < NR_IRQS
  return (
    <form
      className="part"
      onSubmit={(event) => {
        event.preventDefault()
        if (!valid) return
        onAdd(intid)
        setText('')
      }}
    >
      <label className="labelled">
        Another SPI, INTID {FIRST_SPI} to {NR_IRQS - 1}
        <input
          className="field vcpus"
          inputMode="numeric"
          aria-invalid={text !== '' && !valid}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>{' '}
      <button className="button small" disabled={!valid}>
        Show
      </button>
    </form>
  )
}

export default IrouterPane
