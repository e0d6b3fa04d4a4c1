/* What the kernels share. Each is a function of how much work to do that answers with a sum of what it computed. */
#pragma once
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef int s32;
typedef long s64;

#define NOINLINE __attribute__((noinline))
/* Keeps the compiler from seeing through a value. */
#define OPAQUE(x) __asm__ volatile("" : "+r"(x) : : "memory")

u32 rnd(void);

u64 list(u32 work), matrix(u32 work), state(u32 work), crc(u32 work), strings(u32 work), sort(u32 work);
u64 sha256(u32 work), bytecode(u32 work), recursion(u32 work), virtual_calls(u32 work), wide(u32 work);
u64 fp64(u32 work), fma64(u32 work), simd_integer(u32 work), simd_float(u32 work), atomics(u32 work), muldiv(u32 work);
