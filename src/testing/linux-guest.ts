/** The prepared Linux guests in our machine: boots one, types at its shell, and waits for what it prints. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { createVmm } from '../engine/vmm/vmm.ts'
import type { RunEnd, Vmm, VmmOptions } from '../engine/vmm/vmm.ts'
import { parseJson } from './parse-json.ts'
import { defaultBlueprint } from '../pure/blueprint/blueprint.ts'
import type { Blueprint } from '../pure/blueprint/blueprint.ts'
