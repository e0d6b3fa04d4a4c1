/* Work of the processor alone: the same on bare metal and under Linux. */
#pragma once
#include "parts.h"

u64 list(u32 work), matrix(u32 work), state(u32 work), crc(u32 work), strings(u32 work), sort(u32 work);
u64 sha256(u32 work), bytecode(u32 work), recursion(u32 work), virtual_calls(u32 work), wide(u32 work);
u64 fp64(u32 work), muldiv(u32 work);
u64 fma64(u32 work), simd_integer(u32 work), simd_float(u32 work), atomics(u32 work);

/* What every processor can do: emulators of others run it too. */
#define KERNELS \
  {"list", list, 250}, {"matrix", matrix, 600}, {"state", state, 1200}, {"crc", crc, 3000}, \
  {"strings", strings, 12000}, {"sort", sort, 500}, {"sha256", sha256, 160000}, {"bytecode", bytecode, 900}, \
  {"recursion", recursion, 260}, {"virtual", virtual_calls, 30000}, {"wide", wide, 2200}, {"fp64", fp64, 1200}, \
  {"muldiv", muldiv, 5000}
#define ARM_KERNELS \
  {"fma64", fma64, 4000}, {"simd-integer", simd_integer, 9000}, {"simd-float", simd_float, 12000}, \
  {"atomics", atomics, 1600}
