/* Floating point. */
#include "kernels.h"

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
