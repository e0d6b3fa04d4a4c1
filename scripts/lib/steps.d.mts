export const ROOT: string
export const run: (command: string, args: readonly string[], environment?: Readonly<Record<string, string>>) => boolean
export const runScript: (file: string, ...args: readonly string[]) => boolean
export const runTool: (path: string, args: readonly string[], environment?: Readonly<Record<string, string>>) => boolean
export const ensureInstalled: () => void
