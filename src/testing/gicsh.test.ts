/** The embedded guest `gicsh`, assembled by our assembler, on QEMU's virt machine. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { assemble } from '../pure/arch/a64/assembler/assemble.ts'
import type { GicVersion } from '../pure/blueprint/blueprint.ts'
import { HOST_PRESETS } from '../pure/blueprint/host.ts'
import { GuestMachine } from './guest-machine.ts'

const SOURCE = readFileSync(join(import.meta.dirname, '../../public/guests/gicsh.s'), 'utf8')
/** RAM base + text_offset of the Image header. */
const ORIGIN = 0x4008_0000
const PROMPT = 'gicsh> '
const TIMEOUT = 120_000
const CPU = ['-cpu', 'cortex-a57', '-nographic', '-nic', 'none'] as const
const machine = (gic: GicVersion): readonly string[] => ['-M', `virt,gic-version=${gic}`, ...CPU]

const missing = [
  'qemu-system-aarch64',
  'dtc',
  'aarch64-linux-gnu-as',
  'aarch64-linux-gnu-ld',
  'aarch64-linux-gnu-objcopy',
].filter((tool) => spawnSync(tool, ['--version']).status !== 0)
const lacks = (...tools: readonly string[]): boolean => tools.some((tool) => missing.includes(tool))
if (missing.length > 0)
  console.warn(`gicsh: tests are skipped that need ${missing.join(', ')}, which are not installed`)

const dir = mkdtempSync(join(tmpdir(), 'gicsh-'))
const file = (name: string): string => join(dir, name)
const tool = (command: string, args: readonly string[], input = ''): string => {
  const result = spawnSync(command, args, { input })
  if (result.status !== 0) throw new Error(`${command}: ${result.stderr.toString()}`)
  return result.stdout.toString()
}

function kernel(): Uint8Array {
  const result = assemble(SOURCE, ORIGIN)
  if (!result.ok) throw new Error(result.errors.map((e) => `${e.line}:${e.column}: ${e.what}`).join('\n'))
  return result.bytes
}

/** The device tree of QEMU's machine, edited as text. */
function deviceTree(cpus: number, edit: (text: string) => string): string[] {
  tool('qemu-system-aarch64', ['-M', `virt,gic-version=3,dumpdtb=${file('virt.dtb')}`, ...CPU, '-smp', String(cpus)])
  const before = tool('dtc', ['-q', '-I', 'dtb', '-O', 'dts', file('virt.dtb')])
  const after = edit(before)
  if (after === before) throw new Error('the edit did not change the device tree')
  tool('dtc', ['-q', '-I', 'dts', '-O', 'dtb', '-o', file('edited.dtb')], after)
  return ['-dtb', file('edited.dtb')]
}

interface Session {
  /** Everything up to the next prompt, without it and without the line itself. */
  send(line: string, enter?: string): Promise<string>
  readonly boot: string
  /** Sends a line that ends the guest, and waits for that. */
  end(line: string): Promise<number | null>
}

async function withGuest(
  cpus: number,
  args: readonly string[],
  talk: (session: Session) => Promise<void>,
  gic: GicVersion = 3,
): Promise<void> {
  writeFileSync(file('gicsh.bin'), kernel())
  const qemu = spawn('qemu-system-aarch64', [
    ...machine(gic),
    '-smp',
    String(cpus),
    '-kernel',
    file('gicsh.bin'),
    ...args,
  ])
  let text = ''
  let waiting: (() => void) | undefined
  const note = (chunk: Buffer): void => {
    text += chunk.toString()
    waiting?.()
  }
  qemu.stdout.on('data', note)
  qemu.stderr.on('data', note)
  const exited = new Promise<number | null>((resolve) => qemu.on('exit', resolve))
  void exited.then(() => waiting?.())
  const upToPrompt = async (): Promise<string> => {
    while (!text.endsWith(PROMPT)) {
      if (qemu.exitCode !== null) throw new Error(`the guest ended: ${text}`)
      await new Promise<void>((resolve) => (waiting = resolve))
    }
    const reply = text.slice(0, -PROMPT.length).replaceAll('\r\n', '\n')
    text = ''
    return reply
  }
  try {
    const boot = await upToPrompt()
    await talk({
      boot,
      send: async (line, enter = '\r') => {
        qemu.stdin.write(line + enter)
        return (await upToPrompt()).replace(/^[^\n]*\n/, '')
      },
      end: (line) => {
        qemu.stdin.write(`${line}\r`)
        return exited
      },
    })
  } finally {
    qemu.kill('SIGKILL')
    await exited
  }
}

/** What gicsh says on four CPUs with a GICv2, whoever made it. */
const ON_A_GICV2 = {
  boot: "gicsh: a monitor for the GIC, 'help' lists its commands\n4 of 4 CPUs have a CPU interface\nguest: ready\n",
  replies: [
    ['frames', 'a GICv2 has no redistributors\n'],
    ['match', [0, 1, 2, 3].map((cpu) => `CPU ${cpu}: CPU interface ${cpu}\n`).join('')],
    ['sgi 3 0.0.0.2', 'GICD_SGIR = 0x00040003\nSGI 3 taken by CPU 2 (1)\n'],
    ['sgi 15 0.0.0.0', 'GICD_SGIR = 0x0001000f\nSGI 15 taken by CPU 0 (1)\n'],
    ['sgi 5 all', 'GICD_SGIR = 0x01000005\nSGI 5 taken by CPU 1 CPU 2 CPU 3 (3)\n'],
    ['sgi 1 1.2.3.4', 'GICD_SGIR = 0x00000001\nSGI 1 taken by no CPU\n'],
    ['route 40 0.0.0.3', 'GICD_ITARGETSR40: wrote 0x08, reads 0x08\nSPI 40 taken by CPU 3 (1)\n'],
    ['route 41 1.0.0.0', 'no CPU has this affinity\n'],
    ['route 33 0.0.0.0', "SPI 33 is the console's\n"],
    ['typer', 'GICD_TYPER 0x00000068: INTIDs below 288, CPUs 4, SecurityExtn 0\nGICD_CTLR 0x00000001\n'],
  ],
} as const

afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('the image of gicsh', () => {
  it('has the header of an arm64 Image', () => {
    const bytes = kernel()
    const view = new DataView(bytes.buffer)
    expect(view.getUint32(0, true) >>> 26).toBe(0b000101)
    expect(view.getBigUint64(8, true)).toBe(0x80000n)
    expect(view.getBigUint64(16, true)).toBe(BigInt(bytes.length))
    expect(view.getUint32(56, true)).toBe(0x644d5241)
  })

  it('does not depend on where it lies', () => {
    const elsewhere = assemble(SOURCE, 0x1_2340_0000)
    expect(elsewhere.ok && Buffer.from(elsewhere.bytes).equals(kernel())).toBe(true)
  })

  it.skipIf(lacks('aarch64-linux-gnu-as', 'aarch64-linux-gnu-ld', 'aarch64-linux-gnu-objcopy'))(
    'is the one that GNU as makes',
    () => {
      tool('aarch64-linux-gnu-as', ['-o', file('gnu.o'), '-'], SOURCE)
      tool('aarch64-linux-gnu-ld', [`-Ttext=0x${ORIGIN.toString(16)}`, '-e', '0', '-o', file('gnu.elf'), file('gnu.o')])
      tool('aarch64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', file('gnu.elf'), file('gnu.bin')])
      expect(readFileSync(file('gnu.bin')).equals(kernel())).toBe(true)
    },
  )
})

describe('gicsh on our machine with a GICv2', () => {
  it('says what it says on QEMU', { timeout: TIMEOUT }, () => {
    const guest = new GuestMachine({ guest: 'gicsh', blueprint: { gic: 2, host: HOST_PRESETS.H2, vcpus: 4 } })
    expect(guest.until(PROMPT)).toBe(`\n${ON_A_GICV2.boot}`)
    expect(ON_A_GICV2.replies.map(([line]) => [line, guest.shell(line)])).toEqual(ON_A_GICV2.replies)
    expect(guest.shell('iid')).toContain('GICD_IIDR 0x4b00343b  GICD_PIDR2 0x00\nGICC_IIDR 0x0202143b\n')
    expect(guest.shell('timer')).toMatch(
      /^CNTFRQ_EL0 62500000 Hz: asked for 625000 ticks, interrupt 27 came after \d+\n$/,
    )
  })
})

describe.skipIf(lacks('qemu-system-aarch64'))('gicsh on QEMU', () => {
  it('works with a GICv2', { timeout: TIMEOUT }, () =>
    withGuest(
      4,
      [],
      async ({ boot, send, end }) => {
        expect(boot).toBe(`\n${ON_A_GICV2.boot}`)
        for (const [line, reply] of ON_A_GICV2.replies) expect([line, await send(line)]).toEqual([line, reply])
        expect(await send('iid')).toContain('GICD_IIDR 0x0000043b  GICD_PIDR2 0x2b\n')
        expect(await end('off')).toBe(0)
      },
      2,
    ),
  )

  it('finds every CPU its redistributor and shows who takes an interrupt', { timeout: TIMEOUT }, () =>
    withGuest(4, [], async ({ boot, send, end }) => {
      expect(boot).toContain(
        "gicsh: a monitor for the GIC, 'help' lists its commands\n4 of 4 CPUs have a redistributor\nguest: ready\n",
      )
      expect((await send('help')).split('\n').map((line) => line.split(' ')[0])).toEqual(
        expect.arrayContaining([
          'help',
          'cpus',
          'frames',
          'match',
          'sgi',
          'route',
          'typer',
          'iid',
          'timer',
          'off',
          'reset',
        ]),
      )
      expect(await send('cpus')).toMatch(
        /^CPU 0  affinity 0\.0\.0\.0  online  frame 0x80a0000  interrupts \d+\nCPU 1  affinity 0\.0\.0\.1  online  frame 0x80c0000  interrupts 0\n/,
      )
      expect(await send('frames')).toBe(
        `region 0 at 0x80a0000
  frame 0x80a0000  GICR_TYPER 0x0000000001000001  affinity 0.0.0.0  Processor_Number 0
  frame 0x80c0000  GICR_TYPER 0x0000000101000101  affinity 0.0.0.1  Processor_Number 1
  frame 0x80e0000  GICR_TYPER 0x0000000201000201  affinity 0.0.0.2  Processor_Number 2
  frame 0x8100000  GICR_TYPER 0x0000000301000311  affinity 0.0.0.3  Processor_Number 3  Last
`,
      )
      expect(await send('match')).toContain('CPU 3: redistributor 0x8100000 says 0.0.0.3\n')
      expect(await send('sgi 3 0.0.0.2')).toBe('ICC_SGI1R_EL1 = 0x0000000003000004\nSGI 3 taken by CPU 2 (1)\n')
      expect(await send('sgi 15 0.0.0.0')).toBe('ICC_SGI1R_EL1 = 0x000000000f000001\nSGI 15 taken by CPU 0 (1)\n')
      expect(await send('sgi 5 all')).toBe('ICC_SGI1R_EL1 = 0x0000010005000000\nSGI 5 taken by CPU 1 CPU 2 CPU 3 (3)\n')
      expect(await send('sgi 1 1.2.3.4')).toBe('ICC_SGI1R_EL1 = 0x0001000201030010\nSGI 1 taken by no CPU\n')
      expect(await send('route 40 0.0.0.3')).toBe(
        'GICD_IROUTER40: wrote 0x0000000003, reads 0x0000000003\nSPI 40 taken by CPU 3 (1)\n',
      )
      expect(await send('route 0x29 1.0.0.0')).toBe(
        'GICD_IROUTER41: wrote 0x0100000000, reads 0x0100000000\nSPI 41 taken by no CPU\n',
      )
      expect(await send('typer')).toContain(
        'GICD_TYPER 0x037a0007: INTIDs below 256, IDbits 16, LPIS 1, A3V 1, No1N 1, RSS 0\n',
      )
      expect(await send('iid')).toContain('GICD_IIDR 0x0000043b  GICD_PIDR2 0x3b\nGICR_IIDR 0x0000043b\n')
      expect(await send('timer')).toMatch(
        /^CNTFRQ_EL0 62500000 Hz: asked for 625000 ticks, interrupt 27 came after \d+\n$/,
      )
      const taken = /CPU 2 .* interrupts (\d+)/.exec(await send('cpus'))?.[1]
      expect(taken).toBe('2')
      expect(await end('off')).toBe(0)
    }),
  )

  it('edits its line and says what is wrong with it', { timeout: TIMEOUT }, () =>
    withGuest(2, [], async ({ send }) => {
      expect(await send('sgxx\u007f\bi 4 0.0.0.1')).toContain('SGI 4 taken by CPU 1 (1)\n')
      expect(await send('rubbish\u0015sgi  7   0.0.0.1')).toContain('SGI 7 taken by CPU 1 (1)\n')
      expect(await send('sgi 4 0.0.0.1', '\u0003')).toBe('')
      expect(await send('')).toBe('')
      expect(await send('cpu')).toBe('no such command: cpu\n')
      expect(await send('sgi 16 all')).toBe('an SGI has an INTID of 0 to 15\n')
      expect(await send('sgi x all')).toBe('usage: sgi INTID A.B.C.D|all\n')
      expect(await send('sgi 1 0.0.1')).toBe('usage: sgi INTID A.B.C.D|all\n')
      expect(await send('route 33 0.0.0.0')).toBe("SPI 33 is the console's\n")
      expect(await send('route 31 0.0.0.0')).toBe('this GIC has SPIs 32 to 255\n')
      expect(await send('route 256 0.0.0.0')).toBe('this GIC has SPIs 32 to 255\n')
      expect(await send('route 40 0.0.0.100')).toBe('usage: route SPI A.B.C.D\n')
    }),
  )

  it('starts anew after a reset', { timeout: TIMEOUT }, () =>
    withGuest(1, [], async ({ send }) => {
      expect(await send('reset')).toContain('1 of 1 CPUs have a redistributor\nguest: ready\n')
      expect(await send('sgi 2 all')).toContain('SGI 2 taken by no CPU\n')
    }),
  )

  it('goes through two regions of redistributors', { timeout: TIMEOUT }, () =>
    withGuest(126, [], async ({ boot, send }) => {
      expect(boot).toContain('126 of 126 CPUs have a redistributor\n')
      expect(await send('frames')).toMatch(
        /affinity 0\.0\.7\.a .* Last\nregion 1 at 0x4000000000\n.*affinity 0\.0\.7\.b /,
      )
      expect(await send('sgi 9 0.0.7.d')).toContain('SGI 9 taken by CPU 70d (1)\n')
    }),
  )

  describe.skipIf(lacks('dtc'))('with another device tree', () => {
    it('says which CPUs have no redistributor', { timeout: TIMEOUT }, async () => {
      const args = deviceTree(4, (text) => text.replace('0x80a0000 0x00 0xf60000', '0x80a0000 0x00 0x40000'))
      await withGuest(4, args, async ({ boot, send }) => {
        expect(boot).toContain(
          'CPU 2: no redistributor matches\nCPU 3: no redistributor matches\n2 of 4 CPUs have a redistributor\n',
        )
        expect(await send('frames')).toContain('no frame of this region says Last')
        expect(await send('match')).toContain('CPU 2: no redistributor matches\n')
      })
    })

    it('can be talked to when the boot CPU has none', { timeout: TIMEOUT }, async () => {
      const args = deviceTree(2, (text) => text.replace('0x80a0000 0x00 0xf60000', '0x80c0000 0x00 0xf40000'))
      await withGuest(2, args, async ({ boot, send }) => {
        expect(boot).toContain('CPU 0: no redistributor matches\nthe timer does not interrupt CPU 0\n')
        expect(await send('timer')).toBe('the timer does not interrupt this CPU\n')
        expect(await send('sgi 2 0.0.0.1')).toContain('SGI 2 taken by CPU 1 (1)\n')
      })
    })

    it('says which CPU the firmware does not know', { timeout: TIMEOUT }, async () => {
      const args = deviceTree(3, (text) => text.replace('reg = <0x02>;', 'reg = <0x102>;'))
      await withGuest(3, args, async ({ boot, send }) => {
        expect(boot).toContain('CPU 102: PSCI CPU_ON answered -2\n2 of 3 CPUs have a redistributor\n')
        expect(await send('match')).toContain("frame 0x80e0000: says 0.0.0.2, which is no CPU's affinity\n")
      })
    })

    it('survives a region where nothing is', { timeout: TIMEOUT }, async () => {
      const args = deviceTree(2, (text) => text.replace('0x80a0000 0x00 0xf60000', '0x60000000 0x00 0xf60000'))
      await withGuest(2, args, async ({ boot, send }) => {
        expect(boot).toMatch(/exception, ESR_EL1 0x96000010, FAR_EL1 0x60000008, .*\nguest: ready\n/)
        expect(await send('frames')).toContain('FAR_EL1 0x60000008')
      })
    })
  })
})
