/** The way from slot to slot for the keyboard: to the tab in front, from where Tab goes into the pane. */

/** Marks an element between whose likes the focus moves. */
export const SLOT = 'data-slot'

export const focusSlot = (step: 1 | -1): void => {
  const slots = [...document.querySelectorAll<HTMLElement>(`[${SLOT}]`)]
  const at = slots.findIndex((slot) => slot.contains(document.activeElement))
  const next = slots[(Math.max(at, step === 1 ? -1 : 0) + step + slots.length) % slots.length]
  next?.querySelector<HTMLElement>('[role="tab"][data-state="active"]')?.focus()
}

/** To the tab of a pane that has just been asked for. */
export const focusPane = (pane: string): void => {
  requestAnimationFrame(() =>
    document.querySelector<HTMLElement>(`[role="tab"][data-pane="${CSS.escape(pane)}"]`)?.focus(),
  )
}
