/* Floating point and AdvSIMD. */
#include "kernels.h"
#include <arm_neon.h>

static u64 bits(double x)
{
  union {
    double d;
    u64 u;
  } v = {x};
  return v.u;
}

/* Planets: scalar arithmetic with division and square root; no contraction into fused operations. */
__attribute__((optimize("fp-contract=off", "no-tree-vectorize"))) u64 fp64(u32 work)
{
  double x[5], y[5], vx[5], vy[5], mass[5];
  for (int i = 0; i < 5; i++) {
    x[i] = i * 1.5 + 0.25, y[i] = i * i * 0.75 - 1, vx[i] = 0.01 * i, vy[i] = 0.5 / (i + 1), mass[i] = 1.0 / (i + 1);
  }
  for (u32 step = work * 200; step--;) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        double dx = x[i] - x[j], dy = y[i] - y[j], d2 = dx * dx + dy * dy + 0.01;
        double d = __builtin_sqrt(d2), magnitude = 0.001 / (d2 * d);
        vx[i] -= dx * mass[j] * magnitude, vy[i] -= dy * mass[j] * magnitude;
        vx[j] += dx * mass[i] * magnitude, vy[j] += dy * mass[i] * magnitude;
      }
    for (int i = 0; i < 5; i++) x[i] += 0.001 * vx[i], y[i] += 0.001 * vy[i];
  }
  return bits(x[0]) ^ bits(y[4]);
}

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
  return bits(sum);
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
