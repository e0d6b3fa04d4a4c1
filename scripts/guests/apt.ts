/** Debian packages of another architecture through apt, with a state of its own: no privilege, nothing added to the system. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly what: string }
const wrong = (what: string): { ok: false; what: string } => ({ ok: false, what })

/** As Debian names them. */
export type Architecture = 'arm64' | 'i386'
const TOOLS = ['apt-get', 'apt-cache', 'dpkg-deb']

const run = (command: string, args: readonly string[], cwd?: string): Answer<string> => {
  const { error, status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (error !== undefined) return wrong(`${command} could not be started: ${error.message}`)
  if (status === 0) return { ok: true, value: stdout }
  const said = stderr
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line.startsWith('E:') || line !== '')
  return wrong(`${command} ${args.find((arg) => /^[a-z]+$/.test(arg)) ?? ''} failed: ${said ?? `status ${status}`}`)
}

const inPath = (tool: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, tool)))

/**
 * apt.conf(5). The hooks after an update belong to the system's own state; the sandbox user could not read ours.
 * An index of nothing but packages is what is needed.
 */
const configuration = (folder: string, architecture: Architecture): string => `Dir::State "${folder}";
Dir::State::Lists "${folder}/lists";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}/cache";
APT::Architecture "${architecture}";
APT::Architectures "${architecture}";
APT::Sandbox::User "";
Debug::NoLocking "true";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`

/** How apt writes a version into the name of a file. */
const fileForm = (version: string): string => version.replaceAll('_', '%5f').replaceAll(':', '%3a')

export interface Apt {
  /** Fetches the lists of packages; what is there from before stays in use when that fails. */
  update(): Answer<string>
  /** The packages that one depends on; none when there is no such package. */
  depends(name: string): readonly string[]
  /** Downloads a package (apt compares its hash with the signed list's) and unpacks it to `target`. */
  unpack(name: string, target: string): Answer<string>
}

/** `folder` is the project's own, and of this architecture alone. */
export const openApt = (folder: string, architecture: Architecture = 'arm64'): Answer<Apt> => {
  const missing = TOOLS.filter((tool) => !inPath(tool))
  if (missing.length > 0) return wrong(`this machine has no ${missing.join(', ')}`)
  mkdirSync(join(folder, 'lists/partial'), { recursive: true })
  mkdirSync(join(folder, 'cache/archives/partial'), { recursive: true })
  mkdirSync(join(folder, 'packages'), { recursive: true })
  writeFileSync(join(folder, 'status'), '')
  const config = join(folder, 'apt.conf')
  writeFileSync(config, configuration(folder, architecture))

  return {
    ok: true,
    value: {
      update: () => run('apt-get', ['-c', config, '-q', 'update']),
      depends: (name) => {
        const shown = run('apt-cache', ['-c', config, 'depends', name])
        return shown.ok ? [...shown.value.matchAll(/^ *Depends: (\S+)$/gm)].map((match) => match[1] ?? '') : []
      },
      unpack: (name, target) => {
        const packages = join(folder, 'packages')
        const fetched = run('apt-get', ['-c', config, '-q', 'download', name], packages)
        if (!fetched.ok) return fetched
        const shown = run('apt-cache', ['-c', config, 'show', '--no-all-versions', name])
        const field = (wanted: string): string | undefined =>
          shown.ok ? new RegExp(`^${wanted}: (.+)$`, 'm').exec(shown.value)?.[1] : undefined
        // A package for every architecture says "all".
        const made = field('Architecture') ?? architecture
        const file = join(packages, `${name}_${fileForm(field('Version') ?? '')}_${made}.deb`)
        if (!existsSync(file)) return wrong(`apt-get download ${name} left no ${file} behind`)
        rmSync(target, { recursive: true, force: true })
        mkdirSync(target, { recursive: true })
        return run('dpkg-deb', ['-x', file, target])
      },
    },
  }
}
