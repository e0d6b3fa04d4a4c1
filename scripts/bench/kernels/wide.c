/* Many small functions, called in no order: code that does not fit a cache. */
#include "kernels.h"

#define FUNCTION(n) \
  static NOINLINE u64 w##n(u64 x, u64 *m) \
  { \
    x ^= n * 0x1234567ull; \
    m[(x ^ n) & 63] += x; \
    x = x & 1ul << (n & 31) ? x + m[n & 63] : (x >> 3) * n; \
    return x ^ x >> 5; \
  }
#define NAME(n) w##n,
#define EIGHT(F, n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7)
#define MANY(F, n) \
  EIGHT(F, n##0) EIGHT(F, n##1) EIGHT(F, n##2) EIGHT(F, n##3) EIGHT(F, n##4) EIGHT(F, n##5) EIGHT(F, n##6) EIGHT(F, n##7)
#define ALL(F) MANY(F, 1) MANY(F, 2) MANY(F, 3) MANY(F, 4) MANY(F, 5) MANY(F, 6) MANY(F, 7) MANY(F, 8)

ALL(FUNCTION)
static u64 (*const functions[512])(u64, u64 *) = {ALL(NAME)};

u64 wide(u32 work)
{
  u64 memory[64], x = 99;
  for (int i = 0; i < 64; i++) memory[i] = i;
  while (work--)
    for (int i = 0; i < 2048; i++) x = functions[(x ^ i) & 511](x, memory);
  return x;
}
