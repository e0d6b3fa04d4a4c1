#include "kernels.h"

static const struct part parts[] = {KERNELS};

int main(void)
{
  RUN_PARTS(parts, REPEAT);
  return 0;
}
