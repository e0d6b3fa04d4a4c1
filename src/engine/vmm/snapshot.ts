/**
 * A machine in a file. It says what it is: a line of text, the length of a JSON header, the header (blueprint, what KVM
 * holds, what goes on in the machine, what its devices hold), and the RAM that is not zero, packed.
 */
import { gunzipSync, gzipSync } from 'fflate'
import { Wrong, bigHex, integer, list, onlyKnown, quoted, readWith, record, truth } from '../../base/reader.ts'
import type { NotRead } from '../../base/reader.ts'
import { readBlueprint } from '../../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../../pure/blueprint/blueprint.ts'
import { imageDocument, readImage } from '../../pure/image/document.ts'
import type { VmImage } from '../../pure/image/image.ts'
import type { DeviceState } from '../bus/device-state.ts'
import type { CpuRunState } from '../cpu/state.ts'
import type { MachineRunState } from '../machine/machine.ts'
import { LONGEST_SLICE } from '../machine/run-loop.ts'

export interface Snapshot {
  readonly blueprint: Blueprint
  readonly image: VmImage
  readonly run: MachineRunState
  /** By name. */
  readonly devices: Readonly<Record<string, DeviceState>>
  /** All of it. */
  readonly ram: Uint8Array
}

const MAGIC = 'GICscope snapshot\n'
const VERSION = 1
const LENGTH_BYTES = 4
/** RAM is kept in pieces of this size; pieces of zeros are not. A blueprint's memory is a multiple. */
const PIECE = 0x10000
/** A header of 512 vCPUs has about 10 MB. */
const MAX_HEADER = 64 * 2 ** 20

const isZero = (bytes: Uint8Array): boolean =>
  new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4).every((word) => word === 0)

const packRam = (ram: Uint8Array): { pieces: readonly number[]; packed: Uint8Array } => {
  const pieces: number[] = []
  for (let at = 0; at < ram.length; at += PIECE) if (!isZero(ram.subarray(at, at + PIECE))) pieces.push(at / PIECE)
  const used = new Uint8Array(pieces.length * PIECE)
  for (const [i, piece] of pieces.entries()) used.set(ram.subarray(piece * PIECE, (piece + 1) * PIECE), i * PIECE)
  return { pieces, packed: gzipSync(used, { level: 1, mtime: 0 }) }
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

const cpuDocument = ({ waiting, event, instructions, monitorAddress, monitorSize }: CpuRunState) => ({
  waiting,
  event,
  instructions,
  monitorAddress: `0x${BigInt.asUintN(64, monitorAddress).toString(16)}`,
  monitorSize,
})

export const writeSnapshot = ({ blueprint, image, run, devices, ram }: Snapshot): Uint8Array<ArrayBuffer> => {
  const { pieces, packed } = packRam(ram)
  const header = text(
    JSON.stringify({
      version: VERSION,
      blueprint,
      image: imageDocument(image),
      run: { ...run, cpus: run.cpus.map(cpuDocument) },
      devices,
      ram: { bytes: packed.length, pieces },
    }),
  )
  const magic = text(MAGIC)
  const all = new Uint8Array(magic.length + LENGTH_BYTES + header.length + packed.length)
  all.set(magic)
  new DataView(all.buffer).setUint32(magic.length, header.length, true)
  all.set(header, magic.length + LENGTH_BYTES)
  all.set(packed, magic.length + LENGTH_BYTES + header.length)
  return all
}

const readCpu = (field: string, value: unknown): CpuRunState => {
  const cpu = record(field, value)
  onlyKnown(field, cpu, ['waiting', 'event', 'instructions', 'monitorAddress', 'monitorSize'])
  return {
    waiting: truth(`${field}.waiting`, cpu.get('waiting')),
    event: truth(`${field}.event`, cpu.get('event')),
    instructions: integer(`${field}.instructions`, 0, Number.MAX_SAFE_INTEGER, cpu.get('instructions')),
    monitorAddress: bigHex(`${field}.monitorAddress`, 64, cpu.get('monitorAddress')),
    monitorSize: integer(`${field}.monitorSize`, 0, 16, cpu.get('monitorSize')),
  }
}

const readRun = (value: unknown, vcpus: number): MachineRunState => {
  const run = record('run', value)
  onlyKnown('run', run, ['now', 'turn', 'left', 'last', 'cpus'])
  const cpus = list('run.cpus', run.get('cpus')).map((one, i) => readCpu(`run.cpus[${i}]`, one))
  if (cpus.length !== vcpus) throw new Wrong(`run.cpus has ${cpus.length} entries for ${vcpus} vCPUs.`)
  return {
    now: integer('run.now', 0, Number.MAX_SAFE_INTEGER, run.get('now'), ' nanoseconds'),
    turn: integer('run.turn', 0, vcpus, run.get('turn')),
    left: integer('run.left', 0, LONGEST_SLICE, run.get('left'), ' instructions'),
    last: integer('run.last', -1, vcpus - 1, run.get('last')),
    cpus,
  }
}

const readDevice = (field: string, value: unknown): DeviceState =>
  Object.fromEntries(
    [...record(field, value)].map(([name, entry]) => {
      const one = (at: string, part: unknown): number =>
        integer(at, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, part)
      const path = `${field}.${name}`
      return [name, Array.isArray(entry) ? list(path, entry).map((part) => one(path, part)) : one(path, entry)]
    }),
  )

const unpackRam = (value: unknown, packed: Uint8Array, size: number): Uint8Array => {
  const ram = record('ram', value)
  onlyKnown('ram', ram, ['bytes', 'pieces'])
  const bytes = integer('ram.bytes', 0, Number.MAX_SAFE_INTEGER, ram.get('bytes'))
  if (packed.length < bytes)
    throw new Wrong(`The snapshot is truncated: of ${bytes} bytes of RAM it has ${packed.length}.`)
  if (packed.length > bytes) throw new Wrong(`The snapshot has ${packed.length - bytes} bytes after its end.`)
  const pieces = list('ram.pieces', ram.get('pieces')).map((one) => integer('ram.pieces', 0, size / PIECE - 1, one))
  const all = new Uint8Array(size)
  const used = new Uint8Array(pieces.length * PIECE)
  let unpacked: Uint8Array
  try {
    unpacked = gunzipSync(packed, { out: used })
  } catch {
    throw new Wrong('The snapshot is damaged: its RAM cannot be unpacked.')
  }
  if (unpacked.length !== used.length) {
    throw new Wrong(`The snapshot's RAM has ${unpacked.length} bytes; its header names ${used.length}.`)
  }
  for (const [i, piece] of pieces.entries()) all.set(used.subarray(i * PIECE, (i + 1) * PIECE), piece * PIECE)
  return all
}

const readHeader = (file: Uint8Array): { header: ReadonlyMap<string, unknown>; rest: Uint8Array } => {
  const magic = text(MAGIC)
  if (!magic.every((byte, i) => file[i] === byte)) throw new Wrong('This file is no snapshot of GICscope.')
  const start = magic.length + LENGTH_BYTES
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const length = file.length < start ? Infinity : view.getUint32(magic.length, true)
  if (length > MAX_HEADER && length !== Infinity)
    throw new Wrong(`The snapshot's header has ${length} bytes: it is damaged.`)
  if (file.length < start + length) throw new Wrong('The snapshot is truncated: its header is not all there.')
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(file.subarray(start, start + length)))
  } catch {
    throw new Wrong('The snapshot is damaged: its header is no JSON.')
  }
  return { header: record("The snapshot's header", json), rest: file.subarray(start + length) }
}

const read = (file: Uint8Array): Snapshot => {
  const { header, rest } = readHeader(file)
  const version = header.get('version')
  if (version !== VERSION) {
    throw new Wrong(`The snapshot's version must be ${VERSION}, the only one there is; it is ${quoted(version)}.`)
  }
  onlyKnown('The header', header, ['version', 'blueprint', 'image', 'run', 'devices', 'ram'])
  const blueprint = readBlueprint(header.get('blueprint'))
  const image = readImage(header.get('image'))
  if (image.vcpus.length !== blueprint.vcpus) {
    throw new Wrong(`image.vcpus has ${image.vcpus.length} entries; the blueprint has ${blueprint.vcpus} vCPUs.`)
  }
  const devices = [...record('devices', header.get('devices'))].map(
    ([name, state]) => [name, readDevice(`devices.${name}`, state)] as const,
  )
  return {
    blueprint,
    image,
    run: readRun(header.get('run'), blueprint.vcpus),
    devices: Object.fromEntries(devices),
    ram: unpackRam(header.get('ram'), rest, blueprint.memory),
  }
}

/** Reads a file; says in one sentence what is wrong with it. */
export const parseSnapshot = (file: Uint8Array): { readonly ok: true; readonly snapshot: Snapshot } | NotRead =>
  readWith(() => ({ ok: true, snapshot: read(file) }) as const)
