/**
 * Runs an i386 guest in v86 under Node, as a process of its own, with its first serial line on standard output:
 * `node v86-guest.mjs OPTIONS`, JSON of `library`, `wasm`, `bios`, `vga`, `kernel`, `initrd` (files), `append`, `memory` (bytes)
 * and `halted`, with which the guest says that it is at its end.
 */
import { readFileSync } from 'node:fs'

const options = JSON.parse(process.argv[2])
const { V86 } = await import(options.library)

const file = (name) => {
  const { buffer, byteOffset, length } = readFileSync(name)
  return { buffer: buffer.slice(byteOffset, byteOffset + length) }
}
const emulator = new V86({
  wasm_path: options.wasm,
  memory_size: options.memory,
  bios: file(options.bios),
  vga_bios: file(options.vga),
  bzimage: file(options.kernel),
  initrd: file(options.initrd),
  cmdline: options.append,
  disable_speaker: true,
  autostart: true,
})
let line = ''
emulator.add_listener('serial0-output-byte', (byte) => {
  line += String.fromCharCode(byte)
  if (byte !== 10) return
  process.stdout.write(line)
  if (line.includes(options.halted)) process.exit(0)
  line = ''
})
