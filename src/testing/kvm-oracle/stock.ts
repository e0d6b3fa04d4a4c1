/** What QEMU emulates as it is packaged: the README's "stock QEMU", with a GICv3 and with a GICv2. */
import { HOST_PRESETS } from '../../pure/blueprint/host.ts'
import type { HostProfile } from '../../pure/blueprint/host.ts'

export const STOCK = { ...HOST_PRESETS.H1, idBits: 24, ipaBits: 44 } as const satisfies HostProfile
export const STOCK_V2 = { ...STOCK, gic: '2', a3v: false } as const satisfies HostProfile
