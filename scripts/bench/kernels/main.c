#include "kernels.h"

static const struct part parts[] = {KERNELS, ARM_KERNELS};

int main(void)
{
  RUN_PARTS(parts, REPEAT);
  return 0;
}
