#include "parts.h"

/* Rounds of an empty loop: a tenth of a second and more. */
#define MOMENT 200000000

static u64 seed;
u32 rnd(void)
{
  seed = seed * 6364136223846793005ul + 1442695040888963407ul;
  return seed >> 33;
}

static char *digits(char *end, u64 value, u32 base)
{
  do *--end = "0123456789abcdef"[value % base];
  while (value /= base);
  return end;
}

/* One piece, so that a line is not cut in two by somebody else's. */
static void say_line(const char *word, const char *name, u64 value, u32 base)
{
  char line[96], number[24], *to = line;
  number[23] = 0;
  const char *const pieces[] = {word, name, digits(number + 23, value, base), "\n"};
  for (int i = 0; i < 4; i++)
    for (const char *from = pieces[i]; *from;) *to++ = *from++;
  *to = 0;
  say(line);
}

void run_parts(const struct part *parts, u32 count, u32 repeat)
{
  while (repeat--)
    for (u32 i = 0; i < count; i++) {
      char name[48], *to = name;
      for (const char *from = parts[i].name; *from;) *to++ = *from++;
      *to++ = ' ', *to = 0;
      seed = 777;
      say_line("begin ", name, parts[i].work, 10);
      say_line("end ", "", parts[i].run(parts[i].work), 16);
    }
  for (u32 i = 0; i < MOMENT; i++) OPAQUE(i);
}
