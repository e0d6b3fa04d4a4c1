/** In which order a machine is put together again: a VMM's, or one that a person writes. */
import { orderText, parseOrder } from '../../pure/image/order-text.ts'
import { ORDERS, ordersFor } from '../../pure/image/orders.ts'
import { useSession, useSessionState } from '../session-context.ts'
import type { RestoreOrder } from '../session/state.ts'
import { Select } from '../widgets/choice.tsx'

const OPTIONS = [
  { value: 'documented', title: ORDERS.documented.title },
  { value: 'qemu', title: ORDERS.qemu.title },
  { value: 'firecracker', title: ORDERS.firecracker.title },
  { value: 'crosvm', title: ORDERS.crosvm.title },
  { value: 'own', title: 'an own list' },
] as const satisfies readonly { value: RestoreOrder['chosen']; title: string }[]

export type ChosenOrder =
  | { readonly ok: true; readonly text: string; readonly title: string }
  | { readonly ok: false; readonly what: string }

/** The order that was chosen, for a machine with a version of the GIC; or why there is none. */
export const chosenOrder = ({ chosen, text }: RestoreOrder, version: 2 | 3): ChosenOrder => {
  if (chosen === 'own') {
    const parsed = parseOrder(text, version, 'the page')
    return parsed.ok ? { ok: true, text, title: parsed.order.title } : parsed
  }
  const order = ordersFor(version)[chosen]
  return order === undefined
    ? { ok: false, what: `${ORDERS[chosen].title} has no order for a GICv${version}.` }
    : { ok: true, text: orderText(order), title: order.title }
}

export const RestoreOrderChoice = () => {
  const session = useSession()
  const order = useSessionState((state) => state.order)
  const version = useSessionState(({ slots }) => slots[0]?.blueprint.gic ?? 3)
  const { chosen, text } = order
  const known = chosen === 'own' ? undefined : (ordersFor(version)[chosen] ?? ORDERS[chosen])
  return (
    <>
      <div className="cures">
        <Select
          label="Restore"
          name="Order of restoring"
          value={chosen}
          options={OPTIONS}
          onChange={(to) => {
            // An own list begins as the one that was chosen before it.
            const start = chosenOrder(order, version)
            const begins = to === 'own' && text === '' && start.ok
            session.chooseOrder(begins ? { chosen: to, text: start.text } : { chosen: to })
          }}
        />
        <span className="dim">{known?.source ?? 'A stage a line; the parts of "each vcpu:" are indented.'}</span>
      </div>
      {chosen === 'own' && (
        <textarea
          className="mono own-order"
          aria-label="The order of restoring, a stage a line"
          spellCheck={false}
          rows={10}
          value={text}
          onChange={({ target }) => session.chooseOrder({ text: target.value })}
        />
      )}
    </>
  )
}
