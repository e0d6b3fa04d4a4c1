/** Rows that wait for a part of KVM, by what they wait for. */
export const NOT_YET: Readonly<Record<string, string>> = {}
