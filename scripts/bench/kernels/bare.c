/* What bare metal lacks: the functions that the compiler calls, and somewhere to write to. */
#include "parts.h"

#define UART (*(volatile u32 *)0x09000000)

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

void say(const char *text)
{
  while (*text) UART = *text++;
}
