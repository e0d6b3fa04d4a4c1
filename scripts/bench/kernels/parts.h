/* The parts of a benchmark. Each is a function of how much work to do that answers with a sum of what it computed. */
#pragma once
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

#define NOINLINE __attribute__((noinline))
/* Keeps the compiler from seeing through a value. */
#define OPAQUE(x) __asm__ volatile("" : "+r"(x) : : "memory")

struct part {
  const char *name;
  u64 (*run)(u32 work);
  u32 work;
};

/* The same numbers in each part. */
u32 rnd(void);

/* Out to whoever listens before it returns; the platform's. */
void say(const char *text);

/*
 * Runs every part `repeat` times, and says when each begins, how much it does, and what it computed when it ends. Goes on for
 * a moment after the last: the processor time of a process that has ended cannot be read.
 */
void run_parts(const struct part *parts, u32 count, u32 repeat);
#define RUN_PARTS(parts, repeat) run_parts(parts, sizeof(parts) / sizeof *(parts), repeat)
