import { describe, expect, it } from 'vitest'
import { blueprintOf } from './machine.ts'
import { OPTIONS, helpText, parseOptions } from './options.ts'
import type { Options } from './options.ts'
import { Script } from './script.ts'
import { EscapeKey } from './terminal.ts'

const options = (...argv: readonly string[]): Options => {
  const parsed = parseOptions(argv)
  if (!parsed.ok) throw new Error(parsed.what)
  return parsed.options
}
const blueprint = (...argv: readonly string[]): unknown => {
  const made = blueprintOf(options(...argv))
  return made.ok ? made.blueprint : made.what
}
const script = (...argv: readonly string[]): Script => new Script(options(...argv).script)
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('the command line', () => {
  it('takes options with their argument behind them or after an equals sign', () => {
    expect(options('--smp', '8', '--memory=1G', '--dtb', 'auto')).toMatchObject({
      smp: 8,
      memory: 2 ** 30,
      dtb: undefined,
    })
    expect(options('--append=a=b c')).toMatchObject({ append: 'a=b c' })
  })

  it.each([
    ['512', 512 * 2 ** 20],
    ['64M', 64 * 2 ** 20],
    ['2g', 2 ** 31],
    ['65536K', 64 * 2 ** 20],
  ])('reads a memory size of %s', (text, size) => expect(options('--memory', text).memory).toBe(size))

  it.each([
    [['--bogus'], '"--bogus" is no option; --help lists them.'],
    [['file'], '"file" is no option; --help lists them.'],
    [['--smp'], '--smp needs an argument: N.'],
    [['--smp', '-1'], '--smp: "-1" is no whole number.'],
    [['--smp', '1', '--smp', '2'], '--smp stands there twice.'],
    [['--memory', '1T'], '--memory: "1T" is no size; write MiB, or a number with K, M or G.'],
    [['--its=1'], '--its takes no argument; it has "1".'],
    [
      ['--restore', 'f', '--kernel', 'g'],
      '--restore goes on with a machine that has booted; --kernel is for one that boots.',
    ],
    [['--restore-order', 'qemu'], '--restore-order has no --restore that it could order.'],
    [['--engine', 'fast'], '--engine must be interpreter or translator; it is "fast".'],
    [['--timeout', '0'], '--timeout: "0" is no number of seconds.'],
    [['--send', 'x'], '--send has no --until before it that says when to type.'],
    [['--until', 'a', '--until', 'b'], '--until "a" ends the run, but another --until follows it.'],
    [['--until', 'a', '--send', '\\q'], '--send: "\\q" is no escape; write \\n, \\r, \\t, \\e, \\xHH or \\\\.'],
    [['--kernel', 'k', '--guest', 'linux'], '--kernel and --guest exclude each other.'],
    [['--scenario', 'a', '--blueprint', 'b'], '--scenario and --blueprint exclude each other.'],
  ])('%j is refused with one sentence', (argv, what) => expect(parseOptions(argv)).toEqual({ ok: false, what }))

  it('explains every option', () => {
    for (const name of Object.keys(OPTIONS)) expect(helpText()).toContain(`--${name} `)
  })
})

describe('the machine of the command line', () => {
  it('is the default one where nothing else is said', () => {
    expect(blueprint()).toMatchObject({ ruleSet: 'mainline', vcpus: 4, guest: { id: 'linux-6.1', append: '' } })
  })

  it('has what each option says', () => {
    const all = ['--rules', 'patch-v1', '--base', '6.8', '--host', 'H0,pribits=7,idbits=24', '--smp', '3']
    expect(blueprint(...all, '--mpidr', '2=1.0.0.2', '--mpidr', '1=0x100', '--guest', 'gicsh')).toMatchObject({
      ruleSet: 'patch-v1',
      base: '6.8',
      host: { a3v: false, priBits: 7, idBits: 24 },
      vcpus: 3,
      affinities: { 1: 0x100, 2: 0x0100_0002 },
      guest: { id: 'gicsh' },
    })
  })

  it('begins with a scenario, and loses the affinities of vCPUs it does not have', () => {
    expect(blueprint('--scenario', 'aff3-maxcpus', '--append', 'quiet')).toMatchObject({
      affinities: { 2: 0x0100_0002 },
      guest: { append: 'maxcpus=2 quiet' },
    })
    expect(blueprint('--scenario', 'aff3', '--smp', '2')).toMatchObject({ vcpus: 2, affinities: {} })
  })

  it('takes a host that can emulate the GIC, unless one is asked for', () => {
    expect(blueprint('--gic', '2')).toMatchObject({ gic: 2, host: { gic: '3+2', a3v: true } })
    expect(blueprint('--gic', '2', '--host', 'H2')).toMatchObject({ gic: 2, host: { gic: '2' } })
    expect(blueprint('--gic', '2', '--host', 'H1')).toMatchObject({ gic: 2, host: { gic: '3' } })
    expect(blueprint('--gic', '3')).toMatchObject({ gic: 3, host: { gic: '3' } })
  })

  it('takes a host by its ICH_VTR_EL2', () => {
    const host = { a3v: true, priBits: 7, idBits: 24, seis: true, listRegs: 16 }
    expect(blueprint('--host', 'vtr=0xd8e0000f')).toMatchObject({ host })
    expect(blueprint('--host', 'H0,vtr=0x90200003,ipabits=36')).toMatchObject({ host: { a3v: true, ipaBits: 36 } })
  })

  it.each([
    [['--guest', 'plan9'], 'guest.id must be one of linux-6.1, linux-6.12, gicsh, own; it is "plan9".'],
    [['--gic', '2', '--its'], 'its must be false: a GICv2 has no LPIs that an ITS could raise.'],
    [['--gic', '4'], 'gic must be one of 2, 3; it is 4.'],
    [['--gic', '2', '--smp', '9'], 'vcpus must be a whole number from 1 to 8 with a GICv2; it is 9.'],
    [['--rules', 'x'], 'ruleSet must be one of mainline, patch-v1, full-aff3; it is "x".'],
    [['--host', 'a3v=2'], 'host.a3v must be true or false; it is "2".'],
    [['--host', 'vtr=7'], '--host: vtr is a value of ICH_VTR_EL2 such as 0x90200003, not "7".'],
    [['--host', 'vtr=0x20000003'], 'host.priBits must be a whole number from 5 to 8; it is 2.'],
    [['--mpidr', '4=0.0.0.9'], 'affinities names vCPU "4"; this machine has vCPU 0 to 3.'],
    [['--mpidr', '1'], '--mpidr: "1" is not CPU=VALUE.'],
    [['--mpidr', '1=0.0'], '--mpidr 1=0.0: "0.0" has 2 fields; an affinity has four: Aff3.Aff2.Aff1.Aff0.'],
    [['--blueprint', '/nowhere'], "/nowhere is no blueprint: ENOENT: no such file or directory, open '/nowhere'"],
  ])('of %j is refused with one sentence', (argv, what) => expect(blueprint(...argv)).toBe(what))
})

describe('a script', () => {
  it('types at each match in turn, and ends at the last', () => {
    const run = script(
      '--until',
      'login:',
      '--send',
      'root\\n',
      '--until',
      '^# $',
      '--send',
      'a',
      '--send',
      '\\x01',
      '--until',
      'end',
    )
    expect(run.feed(bytes('log'))).toBe('')
    expect(run.feed(bytes('in: '))).toBe('root\n')
    expect(run.feed(bytes('\r\n# '))).toBe('a\x01')
    expect(run.done).toBe(false)
    run.feed(bytes('the end'))
    expect(run.done).toBe(true)
  })

  it('matches a line to its end, where the terminal has a carriage return', () => {
    const run = script('--until', '^4$')
    run.feed(bytes('44\r\n4\r\n'))
    expect(run.done).toBe(true)
  })

  it('does not match what it has matched before', () => {
    const run = script('--until', 'x', '--send', '1', '--until', 'x', '--send', '2')
    expect(run.feed(bytes('x'))).toBe('1')
    expect(run.feed(bytes(' '))).toBe('')
    expect(run.feed(bytes('x'))).toBe('2')
  })
})

describe('the escape key', () => {
  it('leaves on Ctrl-A x, also in two pieces', () => {
    const key = new EscapeKey()
    expect(key.filter(bytes('ab\x01'))).toEqual(bytes('ab'))
    expect(key.filter(bytes('x'))).toBeUndefined()
  })

  it('passes Ctrl-A by being typed twice, and anything else as it is', () => {
    const key = new EscapeKey()
    expect(key.filter(bytes('\x01\x01x\x01y\x03'))).toEqual(bytes('\x01x\x01y\x03'))
  })
})
