/* Runs every kernel REPEAT times, and says on the UART when each begins and what it computed when it ends. */
#include "kernels.h"

#define UART (*(volatile u32 *)0x09000000)

static u64 seed;
u32 rnd(void)
{
  seed = seed * 6364136223846793005ul + 1442695040888963407ul;
  return seed >> 33;
}

void *memcpy(void *to, const void *from, u64 size)
{
  u8 *a = to;
  const u8 *b = from;
  while (size >= 8) {
    *(u64 *)a = *(const u64 *)b;
    a += 8, b += 8, size -= 8;
  }
  while (size--) *a++ = *b++;
  return to;
}

void *memset(void *to, int value, u64 size)
{
  u8 *a = to;
  while (size--) *a++ = value;
  return to;
}

static void print(const char *text)
{
  while (*text) UART = *text++;
}

static void print_hex(u64 value)
{
  for (int shift = 60; shift >= 0; shift -= 4) UART = "0123456789abcdef"[value >> shift & 15];
}

static const struct {
  const char *name;
  u64 (*run)(u32);
  u32 work;
} kernels[] = {
  {"list", list, 250},           {"matrix", matrix, 600},     {"state", state, 1200},
  {"crc", crc, 3000},            {"strings", strings, 12000},  {"sort", sort, 500},
  {"sha256", sha256, 160000},    {"bytecode", bytecode, 900},  {"recursion", recursion, 260},
  {"virtual", virtual_calls, 30000}, {"wide", wide, 2200},     {"fp64", fp64, 1200},
  {"fma64", fma64, 4000},        {"simd-integer", simd_integer, 9000}, {"simd-float", simd_float, 12000},
  {"atomics", atomics, 1600},    {"muldiv", muldiv, 5000},
};

int main(void)
{
  for (int repeat = 0; repeat < REPEAT; repeat++)
    for (u64 i = 0; i < sizeof kernels / sizeof *kernels; i++) {
      seed = 777;
      print("begin ");
      print(kernels[i].name);
      print("\n");
      u64 sum = kernels[i].run(kernels[i].work);
      print("end ");
      print_hex(sum);
      print("\n");
    }
  return 0;
}
