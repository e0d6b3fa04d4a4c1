/* Work for the C library, the kernel and other programs. Each part answers with a sum of what came of it. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "system.h"

static void must(int good, const char *what)
{
  if (good) return;
  perror(what);
  _exit(1);
}

/* The C library's own memory functions, of lengths from a word to a page. */
static char from[8192], to[8192];

u64 libc_memory(u32 work)
{
  u64 sum = 0;
  for (u32 i = 0; i < sizeof from; i++) from[i] = 'a' + rnd() % 26;
  while (work--)
    for (u32 size = 8; size <= 4096; size *= 2) {
      u32 at = work & 63;
      memcpy(to + at, from + (work >> 3 & 63), size);
      to[at + size] = 0;
      sum += strlen(to + at);
      sum += memcmp(to + at, from + at, size) > 0;
      memset(to + at, work, size / 2);
      memmove(to + at + 1, to + at, size - 1);
      sum += (unsigned char)to[at + size / 3];
    }
  return sum;
}

/* Copies by loops of the program's own. */
__attribute__((optimize("no-tree-vectorize", "no-tree-loop-distribute-patterns"))) u64 copy(u32 work)
{
  u64 sum = 0;
  for (u32 i = 0; i < sizeof from; i++) from[i] = rnd();
  while (work--) {
    const u64 *words = (const u64 *)from;
    u64 *out = (u64 *)to;
    for (u32 i = 0; i < sizeof from / 8; i++) out[i] = words[i];
    for (u32 i = 0; i < sizeof from / 4; i++) to[i] = from[sizeof from - 1 - i];
    sum = sum * 3 + (unsigned char)to[work & 8191];
    from[work & 8191] ^= work;
  }
  return sum;
}

/* Loads that depend on each other, in no order, over 8 MiB. */
#define WALK (8u << 20)

u64 walk(u32 work)
{
  u32 count = WALK / 8, at = 0;
  u64 *next = mmap(0, WALK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(next != MAP_FAILED, "mmap");
  /* A full period: the multiplier is 1 modulo 4, the increment odd (Hull and Dobell). */
  for (u32 i = 0; i < count; i++) next[i] = (i * 1664525u + 1013904223u) % count;
  while (work--)
    for (int i = 0; i < 1000; i++) at = next[at];
  must(munmap(next, WALK) == 0, "munmap");
  return at;
}

u64 system_call(u32 work)
{
  u64 sum = 0;
  while (work--) sum += syscall(SYS_getppid);
  return sum;
}

u64 fork_wait(u32 work)
{
  u64 sum = 0;
  while (work--) {
    int status;
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) _exit(work & 127);
    must(waitpid(child, &status, 0) == child, "waitpid");
    sum += WEXITSTATUS(status);
  }
  return sum;
}

u64 page_fault(u32 work)
{
  const u32 size = 256 * 4096;
  u64 sum = 0;
  while (work--) {
    char *pages = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(pages != MAP_FAILED, "mmap");
    for (u32 at = 0; at < size; at += 4096) pages[at] = at >> 12;
    for (u32 at = 0; at < size; at += 4096) sum += (unsigned char)pages[at];
    must(munmap(pages, size) == 0, "munmap");
  }
  return sum;
}

/* One page changes its protection: an invalidation for every CPU. */
u64 protect(u32 work)
{
  u64 sum = 0;
  char *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(page != MAP_FAILED, "mmap");
  while (work--) {
    page[work & 4095] += 1;
    must(mprotect(page, 4096, PROT_READ) == 0, "mprotect");
    sum += (unsigned char)page[work * 7 & 4095];
    must(mprotect(page, 4096, PROT_READ | PROT_WRITE) == 0, "mprotect");
  }
  must(munmap(page, 4096) == 0, "munmap");
  return sum;
}

static volatile u64 caught;
static void on_signal(int number) { caught += number; }

u64 signals(u32 work)
{
  caught = 0;
  signal(SIGUSR1, on_signal);
  while (work--) must(kill(getpid(), SIGUSR1) == 0, "kill");
  return caught / SIGUSR1;
}

static void run_on(int cpu)
{
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  must(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

/* A byte goes to another process and comes back: two switches of context. */
static u64 ping_pong(u32 work, int cpu)
{
  int there[2], back[2], status;
  u64 sum = 0;
  char byte;
  must(pipe(there) == 0 && pipe(back) == 0, "pipe");
  run_on(0);
  pid_t child = fork();
  must(child >= 0, "fork");
  if (child == 0) {
    run_on(cpu);
    for (u32 i = work; i--;) {
      must(read(there[0], &byte, 1) == 1, "read");
      byte++;
      must(write(back[1], &byte, 1) == 1, "write");
    }
    _exit(0);
  }
  while (work--) {
    byte = work;
    must(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "pipe");
    sum += (unsigned char)byte;
  }
  must(waitpid(child, &status, 0) == child && status == 0, "waitpid");
  close(there[0]), close(there[1]), close(back[0]), close(back[1]);
  return sum;
}

u64 pipe_same_cpu(u32 work) { return ping_pong(work, 0); }
u64 pipe_two_cpus(u32 work) { return ping_pong(work, 1); }

/* Other programs: what they print is summed. */
static u64 output_of(const char *const *command)
{
  int output[2], status;
  u64 sum = 0;
  unsigned char bytes[4096];
  must(pipe(output) == 0, "pipe");
  pid_t child = fork();
  must(child >= 0, "fork");
  if (child == 0) {
    dup2(output[1], 1);
    close(output[0]), close(output[1]);
    execv(command[0], (char *const *)command);
    must(0, command[0]);
  }
  close(output[1]);
  for (ssize_t got; (got = read(output[0], bytes, sizeof bytes)) > 0;)
    for (ssize_t i = 0; i < got; i++) sum = sum * 31 + bytes[i];
  close(output[0]);
  must(waitpid(child, &status, 0) == child && status == 0, command[0]);
  return sum;
}

/* Text of few words, as much as `kilobytes`. */
static void write_text(const char *name, u32 kilobytes)
{
  static const char *const words[] = {"interrupt ", "affinity ", "of ", "the ", "redistributor ", "is ", "level ", "3\n"};
  FILE *file = fopen(name, "w");
  must(file != 0, name);
  for (u64 written = 0; written < kilobytes * 1024ul;) {
    const char *word = words[rnd() & 7];
    written += strlen(word);
    if ((rnd() & 15) == 0) written += fprintf(file, "%u", rnd());
    fputs(word, file);
  }
  must(fclose(file) == 0, name);
}

#define RUN(...) output_of((const char *const[]){__VA_ARGS__, 0})

u64 gzip(u32 work)
{
  write_text("/tmp-text", work);
  return RUN("/bin/gzip", "-c", "/tmp-text");
}

u64 sha256sum(u32 work)
{
  write_text("/tmp-text", work);
  return RUN("/bin/sha256sum", "/tmp-text");
}

/* In folders that are made once. */
u64 find(u32 work)
{
  char name[64];
  u64 sum = 0;
  if (mkdir("/tree", 0755) == 0)
    for (int folder = 0; folder < 40; folder++) {
      snprintf(name, sizeof name, "/tree/%d", folder);
      must(mkdir(name, 0755) == 0, name);
      for (int file = 0; file < 40; file++) {
        snprintf(name, sizeof name, "/tree/%d/file-%d", folder, folder ^ file);
        FILE *made = fopen(name, "w");
        must(made && fclose(made) == 0, name);
      }
    }
  while (work--) sum = sum * 31 + RUN("/bin/find", "/tree", "/bin", "-name", "*e*3*");
  return sum;
}

u64 shell(u32 work)
{
  char loop[200];
  snprintf(loop, sizeof loop, "i=0; s=0; while [ $i -lt %u ]; do i=$((i+1)); s=$((s*3+i)); case $s in *7*) s=$((s/2));; esac; done; echo $s", work);
  return RUN("/bin/sh", "-c", loop);
}

static u64 openssl_digest(const char *algorithm, u32 work)
{
  write_text("/tmp-text", work);
  return RUN("/usr/bin/openssl", "dgst", algorithm, "/tmp-text");
}

static u64 openssl_cipher(const char *cipher, u32 work)
{
  write_text("/tmp-text", work);
  return RUN("/usr/bin/openssl", "enc", cipher, "-e", "-K", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
             "-iv", "00112233445566778899aabbccddeeff", "-in", "/tmp-text");
}

u64 openssl_sha512(u32 work) { return openssl_digest("-sha512", work); }
u64 openssl_aes(u32 work) { return openssl_cipher("-aes-256-cbc", work); }
u64 openssl_chacha(u32 work) { return openssl_cipher("-chacha20", work); }
