/* What an operation of the interrupt path costs. Each part does it `work` times, on two CPUs with a GICv3. */
#include "parts.h"

#define GICD 0x08000000ul
#define GICR 0x080a0000ul
#define GICR_STRIDE 0x20000ul
#define SGI_FRAME 0x10000ul
#define UART_FLAGS (*(volatile u32 *)0x09000018)
#define REG32(address) (*(volatile u32 *)(address))
#define REG64(address) (*(volatile u64 *)(address))

#define READ(name, value) __asm__ volatile("mrs %0, " name : "=r"(value))
#define WRITE(name, value) __asm__ volatile("msr " name ", %0" : : "r"((u64)(value)) : "memory")
#define BARRIER(what) __asm__ volatile(what : : : "memory")
#define ICC_PMR "s3_0_c4_c6_0"
#define ICC_IAR1 "s3_0_c12_c12_0"
#define ICC_SGI1R "s3_0_c12_c11_5"
#define ICC_SRE "s3_0_c12_c12_5"
#define ICC_IGRPEN1 "s3_0_c12_c12_7"

#define SPI 40
#define TIMER 27
#define SGI(number, cpu) ((u64)(number) << 24 | 1u << (cpu))

extern char vectors[], second[];
extern u64 table[];

/* Interrupts that each CPU has taken; what the second answers SGI 1 with. */
static volatile u64 taken[2];
u64 reply = SGI(2, 0);
static volatile int second_spins, second_ready;

static void enable_interrupts(void) { BARRIER("msr daifclr, #2"); }
static void mask_interrupts(void) { BARRIER("msr daifset, #2"); }

static u64 psci(u64 function, u64 a, u64 b, u64 c)
{
  register u64 x0 __asm__("x0") = function;
  register u64 x1 __asm__("x1") = a;
  register u64 x2 __asm__("x2") = b;
  register u64 x3 __asm__("x3") = c;
  __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
  return x0;
}

static void start_gic(int cpu)
{
  u64 frame = GICR + cpu * GICR_STRIDE;
  WRITE("vbar_el1", vectors);
  WRITE("tpidr_el1", &taken[cpu]);
  REG32(frame + 0x14) &= ~2u; /* GICR_WAKER.ProcessorSleep */
  while (REG32(frame + 0x14) & 4);
  REG32(frame + SGI_FRAME + 0x80) = ~0u;                  /* GICR_IGROUPR0 */
  REG32(frame + SGI_FRAME + 0x100) = 0xffff | 1u << TIMER; /* GICR_ISENABLER0 */
  WRITE(ICC_SRE, 1);
  BARRIER("isb");
  WRITE(ICC_PMR, 0xff);
  WRITE(ICC_IGRPEN1, 1);
  BARRIER("isb");
}

void second_main(void)
{
  start_gic(1);
  second_ready = 1;
  enable_interrupts();
  for (;;)
    if (!second_spins) BARRIER("wfi");
}

static void start(void)
{
  REG32(GICD) = 0x12; /* GICD_CTLR: ARE, EnableGrp1 */
  REG32(GICD + 0x84) = ~0u;
  REG32(GICD + 0x104) = 1u << (SPI & 31);
  REG64(GICD + 0x6000 + 8 * SPI) = 0;
  start_gic(0);
  enable_interrupts();
  psci(0xc4000003, 1, (u64)second, 0); /* CPU_ON */
  while (!second_ready);
}

static u64 empty(u32 work)
{
  u64 sum = 0;
  while (work--) OPAQUE(sum);
  return sum;
}

/* A part that does the same thing again and again. */
#define PART(name, what) \
  static u64 name(u32 work) \
  { \
    u64 value = 0, done = work; \
    while (work--) { \
      what; \
      OPAQUE(value); \
    } \
    return done; \
  }

PART(counter, READ("cntvct_el0", value))
PART(svc, BARRIER("svc #0"))
PART(hvc, value = psci(0x84000000, 0, 0, 0))
PART(gicd_read, value = REG32(GICD))
PART(gicd_enable, REG32(GICD + 0x104) = 1u << (SPI & 31))
PART(gicd_priority, REG32(GICD + 0x400 + SPI) = 0xa0a0a0a0)
PART(gicr_read, value = REG32(GICR + 0x14))
PART(pmr_write, WRITE(ICC_PMR, 0xf0))
PART(iar_read, READ(ICC_IAR1, value))
PART(uart_read, value = UART_FLAGS)

/* Until this CPU has taken an interrupt more. */
#define SPIN_FOR_ONE(before) while (taken[0] == (before))
#define WAIT_FOR_ONE(before) \
  while (taken[0] == (before)) { \
    BARRIER("wfi"); \
    enable_interrupts(); \
    BARRIER("isb"); \
    mask_interrupts(); \
  }
#define TAKING(name, what) PART(name, u64 before = taken[0]; what; SPIN_FOR_ONE(before))

TAKING(sgi_self, WRITE(ICC_SGI1R, SGI(0, 0)))
TAKING(spi, REG32(GICD + 0x204) = 1u << (SPI & 31))
TAKING(timer_due, WRITE("cntv_cval_el0", 0); WRITE("cntv_ctl_el0", 1))
TAKING(sgi_sender_spins, WRITE(ICC_SGI1R, SGI(1, 1)))

static u64 masked(u64 (*part)(u32), u32 work)
{
  mask_interrupts();
  u64 done = part(work);
  enable_interrupts();
  return done;
}
PART(timer_waits, u64 before = taken[0]; WRITE("cntv_tval_el0", 50); WRITE("cntv_ctl_el0", 1); WAIT_FOR_ONE(before))
PART(sgi_waits, u64 before = taken[0]; WRITE(ICC_SGI1R, SGI(1, 1)); WAIT_FOR_ONE(before))
static u64 timer_wfi(u32 work) { return masked(timer_waits, work); }
static u64 sgi_wfi(u32 work) { return masked(sgi_waits, work); }

static u64 sgi_both_spin(u32 work)
{
  second_spins = 1;
  u64 done = sgi_sender_spins(work);
  second_spins = 0;
  sgi_sender_spins(1);
  return done;
}

static volatile u64 word;
#define REFILL value = word
PART(tlbi_page, __asm__ volatile("tlbi vae1is, %0\n dsb ish\n isb" : : "r"((u64)&word >> 12) : "memory"); REFILL)
PART(tlbi_all, BARRIER("tlbi vmalle1is\n dsb ish\n isb"); REFILL)
PART(asid, WRITE("ttbr0_el1", (u64)table | (u64)(work & 15) << 48); BARRIER("isb"); REFILL)
PART(page_fault, value = REG64(0xc0000000ul); table[3] = 0; BARRIER("dsb ishst\n tlbi vmalle1is\n dsb ish\n isb"))

static const struct part parts[] = {
  {"empty", empty, 30000000},
  {"cntvct-read", counter, 2000000},
  {"svc-eret", svc, 300000},
  {"hvc-psci-version", hvc, 500000},
  {"gicd-read", gicd_read, 1000000},
  {"gicd-isenabler-write", gicd_enable, 500000},
  {"gicd-ipriorityr-write", gicd_priority, 500000},
  {"gicr-read", gicr_read, 1000000},
  {"icc-pmr-write", pmr_write, 1000000},
  {"icc-iar-none", iar_read, 1000000},
  {"uart-flag-read", uart_read, 1000000},
  {"sgi-self", sgi_self, 100000},
  {"spi-by-ispendr", spi, 100000},
  {"timer-due", timer_due, 100000},
  {"timer-50-ticks-wfi", timer_wfi, 50000},
  {"tlbi-page-refill", tlbi_page, 100000},
  {"tlbi-all-refill", tlbi_all, 40000},
  {"new-asid-refill", asid, 100000},
  {"page-fault-map-flush", page_fault, 40000},
  {"sgi-round-trip-wfi", sgi_wfi, 50000},
  {"sgi-round-trip-sender-spins", sgi_sender_spins, 2000},
  {"sgi-round-trip-both-spin", sgi_both_spin, 100},
};

int main(void)
{
  start();
  RUN_PARTS(parts, REPEAT);
  return 0;
}
