/* What is Arm's own: fused multiply-add, AdvSIMD, exclusive loads and stores. */
#include "kernels.h"
#include <arm_neon.h>

/* Polynomials: fused multiply-add. */
__attribute__((optimize("no-tree-vectorize"))) u64 fma64(u32 work)
{
  double sum = 0;
  while (work--)
    for (int i = 0; i < 1000; i++) {
      double x = i * 0.001, p = 1.25;
      p = __builtin_fma(p, x, 0.5), p = __builtin_fma(p, x, -0.75), p = __builtin_fma(p, x, 2.0);
      p = __builtin_fma(p, x, 0.125), p = __builtin_fma(p, x, -3.5), p = __builtin_fma(p, x, 1.0);
      sum += p;
    }
  union {
    double d;
    u64 u;
  } v = {sum};
  return v.u;
}

static u8 pixels[4096], other[4096];

u64 simd_integer(u32 work)
{
  u64 sum = 0;
  for (int i = 0; i < 4096; i++) pixels[i] = rnd(), other[i] = rnd();
  while (work--) {
    uint32x4_t total = vdupq_n_u32(0);
    for (int i = 0; i < 4096; i += 16) {
      uint8x16_t p = vld1q_u8(pixels + i), q = vld1q_u8(other + i);
      uint8x16_t r = veorq_u8(vmaxq_u8(p, q), vqaddq_u8(vminq_u8(p, q), vdupq_n_u8(work)));
      total = vpadalq_u16(total, vpaddlq_u8(vbslq_u8(vcgtq_u8(p, q), r, p)));
      vst1q_u8(other + i, vextq_u8(r, q, 5));
    }
    sum = sum * 31 + vaddvq_u32(total);
  }
  return sum;
}

static float fx[1024], fy[1024];

u64 simd_float(u32 work)
{
  for (int i = 0; i < 1024; i++) fx[i] = i * 0.25f, fy[i] = 1.0f / (i + 1);
  while (work--) {
    float32x4_t k = vdupq_n_f32(0.5f + (work & 7) * 0.125f);
    for (int i = 0; i < 1024; i += 4) {
      float32x4_t x = vld1q_f32(fx + i), y = vld1q_f32(fy + i);
      y = vaddq_f32(vmulq_f32(vsubq_f32(x, y), k), vmulq_n_f32(y, 0.25f));
      vst1q_f32(fy + i, vminq_f32(y, vdupq_n_f32(1000)));
    }
  }
  union {
    float f;
    u32 u;
  } v;
  u64 sum = 0;
  for (int i = 0; i < 1024; i++) v.f = fy[i], sum = sum * 31 + v.u;
  return sum;
}

/* Exclusive loads and stores, as ARMv8.0 code has them. */
static u64 counters[64];

static NOINLINE u64 fetch_add(u64 *at, u64 value)
{
  u64 before, after;
  u32 failed;
  __asm__ volatile("1: ldaxr %0, [%3]\n add %1, %0, %4\n stlxr %w2, %1, [%3]\n cbnz %w2, 1b"
                   : "=&r"(before), "=&r"(after), "=&r"(failed) : "r"(at), "r"(value) : "memory");
  return before;
}

u64 atomics(u32 work)
{
  u64 sum = 0;
  for (int i = 0; i < 64; i++) counters[i] = 0;
  while (work--)
    for (u32 i = 0; i < 8192; i++) sum += fetch_add(&counters[(i * 7) & 63], i);
  return sum;
}
