/** Which part of a pane is shown: kept with the layout, and the first where nothing is. */
import { useSession, useViewState } from '../../session-context.ts'
import type { Option } from '../../widgets/choice.tsx'

export const usePart = <Part extends string>(
  pane: string,
  parts: readonly [Option<Part>, ...Option<Part>[]],
): readonly [Part, (part: Part) => void] => {
  const { view } = useSession()
  const kept = useViewState((state) => state.parts[pane])
  const shown = parts.find(({ value }) => value === kept) ?? parts[0]
  return [shown.value, (part) => view.turn(pane, part)]
}
