/*
 * Load of many kinds for so many seconds of the guest's time as the kernel's parameter `seconds=` says, mixed by `seed=`:
 * processes, mappings, signals, threads that hand over to each other, CPUs that come and go, code that is written and run.
 * It has the processor for so many of a thousand nanoseconds as `busy=` says, and sleeps between two pieces of work for the rest.
 * Says how much was done of what, a hundred times in all or once a second.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define MEMBARRIER_CMD_GLOBAL 1

static unsigned long state;
static unsigned random_below(unsigned limit)
{
  state = state * 6364136223846793005ul + 1442695040888963407ul;
  return (state >> 33) % limit;
}

static void fail(const char *what)
{
  printf("soak failed: %s: %s\n", what, strerror(errno));
  fflush(stdout);
  abort();
}

static void forks(void)
{
  for (int i = 0; i < 8; i++) {
    int status;
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) _exit(i);
    if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != i) fail("waitpid");
  }
}

static void runs_program(void)
{
  int status;
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    execl("/bin/busybox", "busybox", "true", (char *)0);
    _exit(1);
  }
  if (waitpid(child, &status, 0) != child || status != 0) fail("busybox true");
}

static void mappings(void)
{
  unsigned pages = 1 + random_below(200);
  char *at = mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) fail("mmap");
  for (unsigned i = 0; i < pages; i++) at[i * PAGE] = i;
  if (mprotect(at, pages / 2 * PAGE, PROT_READ) != 0) fail("mprotect");
  /* Mappings of two kinds do not move as one. */
  if (mprotect(at, pages * PAGE, PROT_READ | PROT_WRITE) != 0) fail("mprotect");
  at = mremap(at, pages * PAGE, 2 * pages * PAGE, MREMAP_MAYMOVE);
  if (at == MAP_FAILED) fail("mremap");
  for (unsigned i = 0; i < pages; i++)
    if (at[i * PAGE] != (char)i) fail("a page holds something else");
  munmap(at, 2 * pages * PAGE);
}

static volatile sig_atomic_t caught;
static void on_signal(int number) { caught += number != 0; }

static void signals(void)
{
  caught = 0;
  for (int i = 0; i < 200; i++)
    if (kill(getpid(), SIGUSR1) != 0) fail("kill");
  if (caught != 200) fail("signals are lost");
}

static void barriers(void)
{
  for (int i = 0; i < 4; i++) syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static int turn;
static void *hand_over(void *mine)
{
  int me = *(int *)mine;
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < 40; i++) {
    while (turn != me) pthread_cond_wait(&turned, &mutex);
    turn = 1 - me;
    pthread_cond_broadcast(&turned);
  }
  pthread_mutex_unlock(&mutex);
  return 0;
}

static void threads(void)
{
  pthread_t other;
  int first = 0, second = 1;
  turn = 0;
  if (pthread_create(&other, 0, hand_over, &second) != 0) fail("pthread_create");
  hand_over(&first);
  pthread_join(other, 0);
}

static void moves(void)
{
  for (int i = 0; i < 8; i++) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(random_below(4), &set);
    /* The CPU may be off just now. */
    sched_setaffinity(0, sizeof set, &set);
  }
  cpu_set_t all;
  memset(&all, 0xff, sizeof all);
  sched_setaffinity(0, sizeof all, &all);
}

static void hotplug(void)
{
  char name[64];
  snprintf(name, sizeof name, "/sys/devices/system/cpu/cpu%u/online", 1 + random_below(3));
  for (int on = 0; on <= 1; on++) {
    int file = open(name, O_WRONLY);
    if (file < 0 || write(file, on ? "1" : "0", 1) != 1) fail(name);
    close(file);
  }
}

/* Functions `mov w0, #n; ret`, each written over the one before, and called often enough to be thought hot. */
static void writes_code(void)
{
  static unsigned *code;
  if (!code) code = mmap(0, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) fail("mmap");
  for (unsigned version = 0; version < 4; version++) {
    unsigned at = random_below(64) * 2, value = random_below(65536);
    code[at] = 0x52800000u | value << 5;
    code[at + 1] = 0xd65f03c0u;
    __builtin___clear_cache((char *)&code[at], (char *)&code[at + 2]);
    unsigned (*function)(void) = (unsigned (*)(void))&code[at];
    for (int i = 0; i < 2000; i++)
      if (function() != value) fail("old code has run");
  }
}

/* Code that comes and goes as a module's does: mapped, written, made executable, run and unmapped. */
static void loads_code(void)
{
  unsigned pages = 1 + random_below(4), words = pages * PAGE / 4;
  unsigned *code = mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) fail("mmap");
  /* `add w0, w0, #n` throughout, then `ret`: longer than a page where there are more. */
  unsigned sum = 0;
  for (unsigned i = 0; i < words - 1; i++) {
    unsigned value = random_below(4096);
    code[i] = 0x11000000u | value << 10;
    sum += value;
  }
  code[words - 1] = 0xd65f03c0u;
  __builtin___clear_cache((char *)code, (char *)(code + words));
  if (mprotect(code, pages * PAGE, PROT_READ | PROT_EXEC) != 0) fail("mprotect");
  unsigned (*function)(unsigned) = (unsigned (*)(unsigned))code;
  for (unsigned i = 0; i < 20; i++)
    if (function(i) != sum + i) fail("code of another mapping has run");
  munmap(code, pages * PAGE);
}

static const struct {
  const char *name;
  void (*run)(void);
  unsigned share;
} kinds[] = {
  {"forks", forks, 10},       {"programs", runs_program, 4}, {"mappings", mappings, 20}, {"signals", signals, 12},
  {"barriers", barriers, 10}, {"threads", threads, 12},      {"moves", moves, 10},       {"hotplug", hotplug, 1},
  {"code", writes_code, 20},  {"modules", loads_code, 6},
};
#define KINDS (sizeof kinds / sizeof *kinds)

#define SECOND 1000000000ll

/* Nanoseconds. */
static long long read_clock(clockid_t clock)
{
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * SECOND + time.tv_nsec;
}

static long long now(void) { return read_clock(CLOCK_MONOTONIC); }

/* Of the processor, what this process and its children have had. */
static long long worked(void)
{
  struct rusage children;
  getrusage(RUSAGE_CHILDREN, &children);
  const long long us = (children.ru_utime.tv_sec + children.ru_stime.tv_sec) * 1000000ll + children.ru_utime.tv_usec +
                       children.ru_stime.tv_usec;
  return read_clock(CLOCK_PROCESS_CPUTIME_ID) + us * 1000;
}

static void sleep_until(long long moment)
{
  const struct timespec time = {moment / SECOND, moment % SECOND};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, 0);
}

static long parameter(const char *name, long otherwise)
{
  const char *value = getenv(name);
  return value ? atol(value) : otherwise;
}

int main(void)
{
  const long wanted = parameter("seconds", 10), busy = parameter("busy", 1000);
  const long long length = wanted * SECOND, pause = length > 100 * SECOND ? length / 100 : SECOND;
  unsigned long done[KINDS] = {0};
  unsigned shares = 0;
  state = parameter("seed", 1);
  mount("proc", "/proc", "proc", 0, 0);
  mount("sysfs", "/sys", "sysfs", 0, 0);
  signal(SIGUSR1, on_signal);
  for (unsigned i = 0; i < KINDS; i++) shares += kinds[i].share;
  printf("soak 0\n");
  fflush(stdout);
  long long start = now(), told = start, before = worked();
  for (;;) {
    unsigned pick = random_below(shares), kind = 0;
    while (pick >= kinds[kind].share) pick -= kinds[kind++].share;
    kinds[kind].run();
    done[kind]++;
    if (busy < 1000) sleep_until(now() + (worked() - before) * (1000 - busy) / busy);
    before = worked();
    long long at = now();
    if (at - told < pause) continue;
    told = at;
    printf("soak %lld", (at - start) / SECOND);
    for (unsigned i = 0; i < KINDS; i++) printf(" %s=%lu", kinds[i].name, done[i]);
    printf("\n");
    fflush(stdout);
    if (at - start >= length) break;
  }
  printf("soak done\n");
  fflush(stdout);
  reboot(RB_POWER_OFF);
  return 0;
}
