export const has: (tool: string) => boolean
export const installTools: (tools: Readonly<Record<string, string>>) => readonly string[]
