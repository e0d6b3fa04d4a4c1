/** What can be done for a machine before there is one. */
import { Machine } from './machine.ts'

const RAM = { ramBase: 0x4000_0000, ramSize: 2 ** 20 }
/** B, to itself (C6.2.26). */
const BRANCH_TO_ITSELF = 0x14000000
/** So many that the host finds the loop of the interpreter worth optimising, which it then does beside what runs. */
const INSTRUCTIONS = 200_000

/**
 * Has the interpreter of the usual CPU made and run a little, so that it is there, and fast, when a guest comes. Takes a few
 * tenths of a second.
 */
export function warmUp(): void {
  const machine = new Machine({ ...RAM, translate: false })
  const ram = machine.ram(RAM.ramBase, 4)
  if (ram !== undefined) new DataView(ram.buffer, ram.byteOffset).setUint32(0, BRANCH_TO_ITSELF, true)
  machine.addCpu().powerOn(BigInt(RAM.ramBase), 0n)
  machine.runUntil(INSTRUCTIONS, Infinity)
}
