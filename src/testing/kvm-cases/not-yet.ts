/** Rows that wait for a part of KVM, by what they wait for. */
export const NOT_YET: Readonly<Record<string, string>> = {
  C34: 'the ITS',
  C71: 'the GICv2',
  C86: 'the ITS',
  C114: 'vgic-state',
  C115: 'the GICv2',
  C116: 'the GICv2',
  X16: 'the ITS',
  X21: 'lists that are pruned when a vCPU leaves',
  X22: 'vgic-state',
  X28: 'the GICv2',
}
