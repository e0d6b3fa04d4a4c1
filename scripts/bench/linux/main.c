/*
 * The first process of a Linux guest: runs the parts of the set that the kernel's parameter `parts=` names, so many times
 * as `repeat=` says, and powers off.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>
#include "kernels.h"
#include "system.h"

static const struct part processor[] = {
  KERNELS,
  {"libc-memory", libc_memory, 12000},
  {"copy", copy, 20000},
  {"walk-8M", walk, 2000},
};

#ifdef __aarch64__
static const struct part arm[] = {ARM_KERNELS};
#endif

static const struct part kernel[] = {
  {"syscall", system_call, 100000}, {"fork-wait", fork_wait, 150},   {"page-fault", page_fault, 60},
  {"mprotect", protect, 20000},     {"signal", signals, 20000},      {"pipe", pipe_same_cpu, 3000},
};

static const struct part programs[] = {
  {"gzip", gzip, 1500},    {"sha256sum", sha256sum, 3000}, {"find", find, 6},
  {"shell", shell, 8000},
};

static const struct part openssl[] = {
  {"openssl-sha512", openssl_sha512, 4000},
  {"openssl-aes", openssl_aes, 2000},
  {"openssl-chacha20", openssl_chacha, 3000},
};

static const struct part two_cpus[] = {{"syscall", system_call, 100000}, {"pipe-two-cpus", pipe_two_cpus, 4000}};

#define SET(name, parts) {name, parts, sizeof parts / sizeof *parts}
static const struct {
  const char *name;
  const struct part *parts;
  u32 count;
} sets[] = {
#ifdef __aarch64__
  SET("arm", arm),
#endif
  SET("processor", processor), SET("kernel", kernel), SET("programs", programs), SET("openssl", openssl),
  SET("two-cpus", two_cpus),
};

/* When the console has it all: the next part does not print the line of the one before. */
void say(const char *text)
{
  write(1, text, strlen(text));
  tcdrain(1);
}

int main(void)
{
  const char *wanted = getenv("parts"), *repeat = getenv("repeat");
  mount("proc", "/proc", "proc", 0, 0);
  mount("sysfs", "/sys", "sysfs", 0, 0);
  for (u32 i = 0; i < sizeof sets / sizeof *sets; i++)
    if (wanted && strstr(wanted, sets[i].name)) run_parts(sets[i].parts, sets[i].count, repeat ? atoi(repeat) : 1);
  reboot(RB_POWER_OFF);
  return 0;
}
