/* SPDX-License-Identifier: MIT
 *
 * kvm-oracle cases: the M-column rows of the cases (Cnn) plus extra
 * probes of single statements (Xnn).  Helpers and
 * output format: oracle.h.  Build and run: README.md.
 *
 * Each case prints the values in the order in which the row lists them; an errno name
 * is what the call returned, "0" is success, UNDEF is an undefined instruction
 * taken by the guest, BLOCKED a vCPU that did not come back.
 */
#include "oracle.h"

#define UNDEF_ESR 0x8000000002000000ull
static const char *gv(u64 v)	/* guest value as text */
{
	static char b[4][40];
	static int i;
	i = (i + 1) & 3;
	if (v == BLOCKED)
		return "BLOCKED";
	if (v == UNDEF_ESR)
		return "UNDEF";
	snprintf(b[i], 40, "%llx", (unsigned long long)v);
	return b[i];
}
static const char *psci(u64 v)
{
	switch ((int)v) {
	case 0: return "SUCCESS";
	case -1: return "NOT_SUPPORTED";
	case -2: return "INVALID_PARAMS";
	case -3: return "DENIED";
	case -4: return "ALREADY_ON";
	case -5: return "ON_PENDING";
	}
	return gv(v);
}
#define L(x) ((unsigned long long)(x))
#define SV struct vm m

/* ---- A. MPIDR ---- */
static void c01(void) { SV; NEED(mkS(&m)); for (int i = 0; i < 4; i++) out("%s%llx", i ? ", " : "", L(mpidr(&m, i))); }
static void ids(int n, const int *id, int from)
{
	SV; NEED(vm_new(&m));
	for (int i = 0; i < n; i++) NEED(vcpu_add(&m, id[i], 0));
	for (int i = from; i < n; i++) out("%s%llx", i > from ? ", " : "", L(mpidr(&m, i)));
}
static void c02(void) { ids(3, (int[]){ 0, 16, 17 }, 0); }
static void c03(void) { ids(2, (int[]){ 0, 511 }, 1); }
static void c04(void) { SV; NEED(vm_new(&m)); out("%s", ename(vcpu_raw(&m, 512))); }
static void setget(struct vm *m, int i, u64 v) { out("%s, ", ename(set_mpidr(m, i, v))); out("%llx", L(mpidr(m, i))); }
static void c05(void) { SV; NEED(mkS(&m)); setget(&m, 1, 0x180000001); }
static void c07(void) { SV; NEED(mk(&m, 2, 0)); NEED(gic_v2(&m)); setget(&m, 1, 0x180000001); }
static void c09(void) { SV; NEED(mkSf(&m, F_32)); setget(&m, 1, 0x180000001); }
static void c10(void) { SV; NEED(mkSf(&m, F_32)); out("%s", ename(set_mpidr(&m, 1, 0x80000009))); }
static void c11(void) { SV; NEED(mkS(&m)); setget(&m, 1, 0); }
static void c12(void) { SV; NEED(mkS(&m)); setget(&m, 1, ~0ull); }
static void runall(struct vm *m) { for (int i = 0; i < m->n; i++) g(m, i, O_NOP, 0, 0); }
static void c13(void) { SV; NEED(mkS(&m)); runall(&m); out("%s", ename(set_mpidr(&m, 1, 0x80000009))); }
static void c14(void) { SV; NEED(mkS(&m)); runall(&m); out("%s", ename(set_mpidr(&m, 1, 0xc0000001))); }
static void c15(void) { SV; NEED(mkS(&m)); out("%s", ename(set_mpidr(&m, 2, 0x80000001))); }
static void c16(void) { SV; NEED(mkS(&m)); set_mpidr(&m, 2, 0x80000001); out("%08x", ur(&m, 1, 8)); }
static void c17(void) { SV; NEED(mkS(&m)); set_mpidr(&m, 2, 0x80000001); runall(&m); out("%08x", ur(&m, 1, 8)); }
static void c18(void) { SV; NEED(mkS(&m)); set_mpidr(&m, 1, 0x80000009); NEED(vcpu_init(&m, 1, 0)); out("%llx", L(mpidr(&m, 1))); }
static int offvm(struct vm *m, unsigned offmask)
{
	int e = vm_new(m);
	for (int i = 0; !e && i < 4; i++) e = vcpu_add(m, i, offmask >> i & 1 ? F_OFF : 0);
	return e ? e : gic_v3(m);
}
static void c19(void)
{
	SV; NEED(offvm(&m, 2)); set_mpidr(&m, 1, 0x80000009);
	out("%s, ", psci(hvc(&m, 0, 0xc4000003, 9, RAM, 0)));
	out("%s", gv(g(&m, 1, O_MPIDR, 0, 0)));
}
static void c20(void) { SV; NEED(mkS(&m)); runall(&m); set_mpidr(&m, 3, 0x80000040); out("%08x", ur(&m, 0x40, 8)); }
static void c21(void) { SV; u64 v; NEED(vm_new(&m)); NEED(vcpu_raw(&m, 0)); out("%s", ename(get_reg(m.v[0], R_MPIDR, &v))); }
static void c22(void) { SV; NEED(mkS(&m)); out("%s", ename(set_mpidr(&m, 1, 0x180000001))); }

/* ---- B. GICR_TYPER ---- */
static void c23(void) { SV; NEED(mkS(&m)); out("%016llx, %016llx", L(gr64(&m, 0, RD(0) + 8)), L(gr64(&m, 0, RD(3) + 8))); }
static void c24(void) { SV; NEED(mkS(&m)); set_mpidr(&m, 1, 0x180000001); out("%016llx", L(gr64(&m, 0, RD(1) + 8))); }
static void c26(void) { SV; NEED(mkS(&m)); set_mpidr(&m, 1, 0x180000001); NEED(set_at(&m, G_DIST, 8, 0x4b00343b)); out("%016llx", L(gr64(&m, 0, RD(1) + 8))); }
static void c27(void) { SV; NEED(mkS(&m)); set_mpidr(&m, 1, 0x80050607); out("%08llx", L(gr32(&m, 0, RD(1) + 12))); }
static void c28(void)
{
	SV; NEED(mkS(&m));
	out("%s ", ename(set_at(&m, G_RED, AT(1, 8), 0xffffffff)));
	out("%s, ", ename(set_at(&m, G_RED, AT(1, 12), 0xffffffff)));
	out("%08x %08x", ur(&m, 1, 12), ur(&m, 1, 8));
}
static const int odd[] = { 0, 3, 5, 4, 1, 2 };
static void c29(void)
{
	SV; NEED(vm_new(&m));
	for (int i = 0; i < 6; i++) NEED(vcpu_add(&m, odd[i], 0));
	NEED(gic_create(&m, 7)); NEED(set_at(&m, G_ADDR, A_DIST, GICD));
	NEED(region(&m, 2, 0x100000, 0)); NEED(region(&m, 2, 0x240000, 1)); NEED(region(&m, 2, 0x200000, 2));
	NEED(gic_init(&m));
	for (int i = 0; i < 6; i++) out("%s%03x", i ? "," : "", ur(&m, i, 8));
}
static void c30(void)
{
	SV; NEED(vm_new(&m));
	for (int i = 0; i < 6; i++) NEED(vcpu_add(&m, odd[i], 0));
	NEED(gic_create(&m, 7)); NEED(set_at(&m, G_ADDR, A_DIST, GICD)); NEED(set_at(&m, G_ADDR, A_REDIST, 0x10000)); NEED(gic_init(&m));
	for (int i = 0; i < 6; i++) out("%s%03x", i ? "," : "", ur(&m, odd[i], 8));
}
static void tworeg(int n)
{
	SV; NEED(mk(&m, n, 0)); NEED(gic_create(&m, 7)); NEED(set_at(&m, G_ADDR, A_DIST, GICD));
	NEED(region(&m, 1, 0x200000, 0)); NEED(region(&m, 1, 0x220000, 1)); NEED(gic_init(&m));
	for (int i = 0; i < n; i++) out("%s%03x", i ? ", " : "", ur(&m, i, 8));
}
static void c31(void) { tworeg(1); }
static void c32(void) { tworeg(2); }
static void c33(void) { SV; NEED(mkS(&m)); out("%s, ", gv(g(&m, 0, O_R16, RD(3) + 8, 0))); out("%s", gv(g(&m, 0, O_R8, RD(3) + 9, 0))); }
static void c34(void) { SV; NEED(mkS(&m)); NEED(its_create(&m, 0x08080000)); out("%03x", ur(&m, 3, 8)); }
static void c35(void) { SV; NEED(vm_new(&m)); NEED(vcpu_add(&m, 0, 0)); NEED(vcpu_add(&m, 300, 0)); NEED(gic_v3(&m)); out("%016llx", L(gr64(&m, 0, RD(1) + 8))); }
static void typ(struct vm *m, u32 aff)
{
	u64 v; int e = get_at(m, G_RED, AT(aff, 8), &v);
	if (e) out("%s", ename(e)); else out("0 (%llx)", L(v));
}
static void c36(void) { SV; NEED(mkS(&m)); set_mpidr(&m, 1, 0x180000001); typ(&m, 0x01000001); out("; "); typ(&m, 1); }
static void c38(void)
{
	SV; NEED(mk(&m, 2, 0)); NEED(gic_create(&m, 7)); NEED(set_at(&m, G_ADDR, A_DIST, GICD)); NEED(set_at(&m, G_ADDR, A_REDIST, GICR));
	typ(&m, 1); out("; "); typ(&m, 2);
}

/* ---- C. IROUTER ---- */
#define IR(n) (GICD + IROUTER(n))
static void c39(void)
{
	SV; NEED(mk(&m, 4, 0)); set_mpidr(&m, 0, 0x80000005); NEED(gic_v3(&m));
	out("%x; %d", ud(&m, IROUTER(40)), tgt(&m, 40));
}
static void c40(void) { SV; NEED(mkS(&m)); gw64(&m, 0, IR(40), 0x100000002); out("%08llx", L(gr64(&m, 0, IR(40)))); }
static void c41(void) { SV; NEED(mkS(&m)); gw64(&m, 0, IR(40), 0x100000002); out("%08llx; %llx", L(gr64(&m, 0, IR(40))), L(gr32(&m, 0, IR(40) + 4))); }
static void c42(void) { SV; NEED(mkS(&m)); gw64(&m, 0, IR(40), 0x100000002); gw32(&m, 0, IR(40), 3); out("%llx", L(gr64(&m, 0, IR(40)))); }
static void lohi(u32 lo, u32 hi) { SV; NEED(mkS(&m)); gw32(&m, 0, IR(40), lo); gw32(&m, 0, IR(40) + 4, hi); out("%llx", L(gr64(&m, 0, IR(40)))); }
static void c43(void) { lohi(2, 1); }
static void c44(void) { lohi(2, 0); }
static void c46(void) { SV; NEED(mkS(&m)); gw32(&m, 0, IR(40), 0x80000001); out("%llx", L(gr32(&m, 0, IR(40)))); }
static void c47(void)
{
	SV; struct row r; NEED(mkS(&m)); gw32(&m, 0, IR(40), 0x77);
	out("%llx; ", L(gr32(&m, 0, IR(40)))); NEED(state(&m, 40, 0, &r)); out("%d, %s", r.tgt, r.target);
}
static int stuck(struct vm *m)	/* C48: SPI 40 enabled, routed nowhere, pended by the guest */
{
	int e = mkS(m); if (e) return e;
	cpuifs(m); gw32(m, 0, GICD, 2); gw32(m, 0, IR(40), 0x77); spi_on(m, 40); spi_pend(m, 40);
	return 0;
}
static void who(unsigned k) { if (!k) out("not delivered"); else { out("delivered to vCPU"); for (int i = 0; i < MAXV; i++) if (k >> i & 1) out(" %d", i); } }
static void c48(void) { SV; NEED(stuck(&m)); who(takers(&m, 40)); out(", ISPENDR %x", spi_pending(&m, 40)); }
static void c49(void) { SV; NEED(stuck(&m)); gw32(&m, 0, IR(40), 1); who(takers(&m, 40)); out(", TGT_ID %d", tgt(&m, 40)); }
static void c50(void) { SV; NEED(stuck(&m)); gw32(&m, 0, IR(40), 1); takers(&m, 40); spi_on(&m, 40); who(takers(&m, 40)); }
static void c51(void)
{
	SV; NEED(mkS(&m)); set_mpidr(&m, 1, 0x180000001); cpuifs(&m); gw32(&m, 0, GICD, 2); spi_on(&m, 40);
	gw64(&m, 0, IR(40), 0x100000001); spi_pend(&m, 40); who(takers(&m, 40)); out(", TGT_ID %d", tgt(&m, 40));
}
static void c52(void) { SV; NEED(mkS(&m)); gw32(&m, 0, IR(41), 9); set_mpidr(&m, 2, 0x80000009); out("%d", tgt(&m, 41)); }
static void c53(void)
{
	SV; NEED(mkS(&m)); cpuifs(&m); gw32(&m, 0, GICD, 2); gw32(&m, 0, IR(41), 1); set_mpidr(&m, 1, 0x80000009);
	out("%d", tgt(&m, 41)); spi_on(&m, 41); spi_pend(&m, 41); out(" ("); who(takers(&m, 41)); out(")");
}
static void c54(void) { SV; NEED(mkS(&m)); gw64(&m, 0, IR(31), 3); out("%llx; ", L(gr64(&m, 0, IR(31)))); gw64(&m, 0, IR(256), 3); out("%llx", L(gr64(&m, 0, IR(256)))); }
static void c55(void) { SV; NEED(mkS(&m)); g(&m, 0, O_W8, IR(40), 1); out("%llx", L(gr64(&m, 0, IR(40)))); }
static void c56(void)
{
	SV; NEED(mkS(&m)); out("%s; ", ename(has_at(&m, G_DIST, 0x6140))); out("%s; ", ename(has_at(&m, G_DIST, 0x6142))); out("%s", ename(has_at(&m, G_DIST, 0x6800)));
}
static void c57(void)
{
	SV; struct row r; NEED(mkS(&m)); cpuifs(&m); gw32(&m, 0, GICD, 2); spi_on(&m, 40);
	gw32(&m, 0, GICD + 0xc08, 0x20000);	/* SPI 40: edge */
	spi_pend(&m, 40);
	u64 a = g(&m, 0, MRS_IAR1, 0, 0); gw32(&m, 0, IR(40), 1);
	g(&m, 1, O_NOP, 0, 0); NEED(state(&m, 40, 0, &r));
	out("IAR %llu, active flag %c on vCPU %d, TGT_ID %d; ", L(a), r.flags[2], r.vcpu, r.tgt);
	spi_pend(&m, 40); out("asserted while active: "); who(ack(&m, 1) == 40 ? 2 : 0);
	g(&m, 0, MSR_EOIR1, 40, 0); g(&m, 0, O_NOP, 0, 0); out("; after EOI: "); who(takers(&m, 40));
}
static void c58(void)
{
	SV; NEED(mkS(&m)); NEED(set_at(&m, G_DIST, IROUTER(40), 2)); NEED(set_at(&m, G_DIST, IROUTER(40) + 4, 0));
	out("%x, %x", ud(&m, IROUTER(40)), ud(&m, IROUTER(40) + 4));
}
static void c59(void) { SV; NEED(mkS(&m)); gw32(&m, 0, IR(40) + 4, 1); out("%llx", L(gr32(&m, 0, IR(40) + 4))); }
static void c60(void) { SV; NEED(mkS(&m)); gw32(&m, 0, IR(40), 0xff000002); out("%llx", L(gr32(&m, 0, IR(40)))); }

/* ---- D. SGIs ---- */
static int sgivm(struct vm *m)
{
	int e = mkS(m); if (e) return e;
	cpuifs(m); gw32(m, 0, GICD, 2);
	return 0;
}
static void sgis(struct vm *m, int n) { unsigned k = takers(m, n); if (!k) out("none"); for (int i = 0; i < m->n; i++) if (k >> i & 1) out("%d ", i); }
#define SGIV(a3, a2, a1, id, list) ((u64)(a3) << 48 | (u64)(a2) << 32 | (u64)(id) << 24 | (u64)(a1) << 16 | (list))
#define IRM (1ull << 40)
#define RS(n) ((u64)(n) << 44)
static void c61(void) { SV; NEED(sgivm(&m)); g(&m, 0, MSR_SGI1R, SGIV(0, 0, 0, 5, 6), 0); sgis(&m, 5); }
static void c62(void) { SV; NEED(sgivm(&m)); g(&m, 1, MSR_SGI1R, IRM | SGIV(0, 0, 0, 3, 0), 0); sgis(&m, 3); }
static void c63(void) { SV; NEED(sgivm(&m)); set_mpidr(&m, 1, 0x180000001); g(&m, 0, MSR_SGI1R, SGIV(1, 0, 0, 5, 2), 0); sgis(&m, 5); }
static void c65(void) { SV; NEED(sgivm(&m)); set_mpidr(&m, 1, 0x180000001); g(&m, 0, MSR_SGI1R, SGIV(0, 0, 0, 5, 2), 0); sgis(&m, 5); }
static void c66(void) { SV; NEED(sgivm(&m)); g(&m, 0, MSR_SGI1R, RS(1) | SGIV(0, 0, 0, 5, 2), 0); sgis(&m, 5); }
static void c67(void) { SV; NEED(sgivm(&m)); set_mpidr(&m, 1, 0x80000011); g(&m, 0, MSR_SGI1R, RS(1) | SGIV(0, 0, 0, 5, 2), 0); sgis(&m, 5); }
static void c68(void) { SV; NEED(sgivm(&m)); g(&m, 0, MSR_SGI0R, SGIV(0, 0, 0, 4, 2), 0); out("ISPENDR0 bit 4 of vCPU 1: %x", ur(&m, 1, 0x10200) >> 4 & 1); }
static void c69(void)
{
	SV; NEED(sgivm(&m)); gw32(&m, 1, SGI(1) + 0x80, 0xffffffef);
	g(&m, 0, MSR_SGI0R, SGIV(0, 0, 0, 4, 2), 0); out("pending %llx", L(gr32(&m, 0, SGI(1) + 0x200) >> 4 & 1));
	g(&m, 1, MSR_IGRPEN0, 1, 0); out(", IAR0 of vCPU 1: %s", gv(g(&m, 1, MRS_IAR0, 0, 0)));
}
static void c70(void) { SV; NEED(mkS(&m)); out("%s", gv(g(&m, 0, MRS_SGI1R, 0, 0))); }
static void c71(void) { SV; NEED(mk(&m, 2, 0)); NEED(gic_v2(&m)); out("%s", gv(g(&m, 0, MSR_SGI1R, 0x2, 0))); }
static void c72(void) { SV; NEED(sgivm(&m)); g(&m, 2, MSR_SGI1R, SGIV(0, 0, 0, 1, 4), 0); sgis(&m, 1); }

/* ---- E. ICC_CTLR_EL1 and friends ---- */
static void sc(struct vm *m, u32 v) { out("%s", ename(set_at(m, G_SYS, I_CTLR, v))); }
static void gc(struct vm *m) { out("%04llx", L(us(m, 0, I_CTLR))); }
static void c73(void) { SV; NEED(mkS(&m)); gc(&m); }
static void c75(void) { SV; NEED(mkS(&m)); sc(&m, 0x8400); }
static void c76(void) { SV; NEED(mkS(&m)); sc(&m, 0x0400); out(", %08x", ud(&m, 4)); }
static void c77(void) { SV; NEED(mkS(&m)); sc(&m, 0x8700); }
static void c78(void) { SV; NEED(mkS(&m)); sc(&m, 0x8300); out(", "); sc(&m, 0x8400); }
static void c79(void) { SV; NEED(mkS(&m)); sc(&m, 0xc300); out(", "); gc(&m); }
static void c80(void) { SV; NEED(mkS(&m)); sc(&m, 0x8300); out(", "); gc(&m); }
static void c81(void) { SV; NEED(mkS(&m)); u64 v = g(&m, 0, MRS_CTLR, 0, 0); out("%llx (%s)", L(v >> 15 & 1), gv(v)); }
static void c83(void) { SV; NEED(mkS(&m)); set_mpidr(&m, 1, 0x180000001); sc(&m, 0x0400); }
static void c84(void) { SV; NEED(mkS(&m)); runall(&m); sc(&m, 0x0400); }
static void c85(void) { SV; NEED(mkS(&m)); out("%08x", ud(&m, 4)); }
static void c86(void) { SV; NEED(mkS(&m)); NEED(its_create(&m, 0x08080000)); out("%08x", ud(&m, 4)); }
static void c87(void)
{
	SV; u64 v; NEED(mkSf(&m, F_32)); out("%08x, ", ud(&m, 4));
	int e = get_at(&m, G_SYS, I_CTLR, &v); if (e) out("%s", ename(e)); else out("%llx", L(v >> 15 & 1));
	out(" (guest ICC_CTLR %s)", gv(g(&m, 0, T_RCTLR, 0, 0)));
}
static void c88(void) { SV; NEED(mkS(&m)); out("%08x", ud(&m, 8)); }
static void c89(void) { SV; NEED(mkS(&m)); out("%s; ", ename(set_at(&m, G_DIST, 8, 0x4b00243b))); out("%08x; %x", ud(&m, 8), ur(&m, 0, 0)); }
static void c90(void) { SV; NEED(mkS(&m)); out("%s", ename(set_at(&m, G_DIST, 8, 0x4b00743b))); out(" (IIDR %08x)", ud(&m, 8)); }
static void c91(void) { SV; NEED(mkS(&m)); out("%s", ename(set_at(&m, G_DIST, 8, 0x4c00343b))); }
static void c92(void)
{
	SV; NEED(mkS(&m)); gw32(&m, 0, GICD, 3); out("%llx; %llx", L(gr32(&m, 0, GICD)), L(gr32(&m, 0, GICD + 0x10)));
}

/* ---- F. device API ---- */
static void c93(void)
{
	SV; static const int n[] = { 32, 80, 1024, 992 }; NEED(vm_new(&m)); NEED(gic_create(&m, 7));
	for (int i = 0; i < 4; i++) out("%s%s", i ? ", " : "", ename(set_at(&m, G_NR, 0, n[i])));
}
static void c94(void) { SV; NEED(mkS(&m)); out("%s", ename(set_at(&m, G_NR, 0, 256))); }
static struct vm *bg_vm; static int bg_i;
static void *bg_run(void *p) { (void)p; ioctl(bg_vm->v[bg_i], KVM_RUN, 0); return 0; }
static void bg(struct vm *m, int i)	/* leave vCPU i blocked inside KVM_RUN */
{
	pthread_t t; bg_vm = m; bg_i = i;
	pthread_create(&t, 0, bg_run, 0); usleep(300000);
}
static int wfivm(struct vm *m)	/* S with vCPU 2 powered off, then inside KVM_RUN */
{
	int e = offvm(m, 4); if (!e) bg(m, 2);
	return e;
}
static void c95(void) { SV; u64 v; NEED(wfivm(&m)); out("%s", ename(get_at(&m, G_DIST, 0, &v))); }
static void c96(void) { SV; u64 v; NEED(mkS(&m)); out("%s", ename(get_at(&m, G_DIST, AT(0xdead0000, 4), &v))); }
static void c97(void) { SV; u64 v; NEED(mkS(&m)); out("%s, ", ename(has_at(&m, G_SYS, I_AP1R(1)))); out("%s", ename(get_at(&m, G_SYS, I_AP1R(1), &v))); }
static void c98(void)
{
	SV; u64 v; static const int n[] = { 33, 1024, 32 }; NEED(mkS(&m));
	for (int i = 0; i < 3; i++) out("%s%s", i ? "; " : "", ename(get_at(&m, G_LVL, n[i], &v)));
}
static void c99(void)
{
	SV; NEED(mk(&m, 4, 0)); NEED(gic_create(&m, 7)); NEED(set_at(&m, G_ADDR, A_DIST, GICD)); NEED(set_at(&m, G_ADDR, A_REDIST, GICR));
	out("%s", ename(run_raw(&m, 0)));
}
static void c100(void)
{
	SV; NEED(mk(&m, 4, 0)); NEED(gic_create(&m, 7)); NEED(set_at(&m, G_ADDR, A_DIST, GICD)); NEED(region(&m, 3, 0x08100000, 0)); NEED(gic_init(&m));
	out("%s", ename(run_raw(&m, 3)));
}
static void c101(void)
{
	SV; NEED(mk(&m, 4, 0)); NEED(gic_create(&m, 7)); NEED(set_at(&m, G_ADDR, A_REDIST, 0)); NEED(set_at(&m, G_ADDR, A_DIST, 0x70000)); NEED(gic_init(&m));
	out("%s", ename(run_raw(&m, 3)));
}
static void c102(void)	/* on a GICv2-only host the ninth vCPU is refused before the device can be */
{
	SV; int e = mk(&m, 8, 0); out("8 vCPUs %s, ", ename(e)); e = vcpu_add(&m, 8, 0); out("vCPU id 8 %s, ", ename(e)); out("CREATE vGICv2 %s", ename(gic_create(&m, 5)));
}
static void c103(void) { SV; NEED(mkS(&m)); out("%s", ename(gic_create(&m, 7))); }
static void c104(void)
{
	SV; NEED(mk(&m, 4, 0)); NEED(gic_create(&m, 7)); NEED(set_at(&m, G_ADDR, A_REDIST, GICR));
	out("%s; ", ename(set_at(&m, G_ADDR, A_REDIST, 0x09000000))); out("%s", ename(region(&m, 4, 0x09000000, 0)));
}
static void c105(void)
{
	SV; u64 v = 0x55; NEED(mkS(&m)); out("%s, ", ename(has_at(&m, G_DIST, 0x4000))); int e = get_at(&m, G_DIST, 0x4000, &v);
	out("%s (value %llx), ", ename(e), L(v)); out("%s", ename(set_at(&m, G_DIST, 0x4000, 1)));
}

/* ---- G. save / restore ---- */
struct image { u64 mp[4]; u32 d[2048], r[4][64]; u64 s[4][8]; };
static const u32 dregs[] = { 0x084, 0x104, 0x204, 0x304, 0x428, 0x42c, 0xc08, 0xc0c, 0x0, 0x8 };
static const u32 rregs[] = { 0x10080, 0x10100, 0x10200, 0x10300, 0x10400, 0x10c04, 0x0 };
static const u32 sregs[] = { I_CTLR, I_SRE, I_PMR, I_BPR0, I_BPR1, I_IGRPEN0, I_IGRPEN1 };
static u32 affof(u64 mp) { return (u32)(mp & 0xffffff) | (u32)(mp >> 32 & 0xff) << 24; }
static void save(struct vm *m, struct image *x)
{
	memset(x, 0, sizeof *x);
	for (int i = 0; i < 4; i++) x->mp[i] = mpidr(m, i);
	for (unsigned k = 0; k < sizeof dregs / 4; k++) x->d[k] = ud(m, dregs[k]);
	for (int n = 32; n < 64; n++) { x->d[64 + 2 * n] = ud(m, IROUTER(n)); x->d[65 + 2 * n] = ud(m, IROUTER(n) + 4); }
	for (int i = 0; i < 4; i++) {
		for (unsigned k = 0; k < sizeof rregs / 4; k++) x->r[i][k] = ur(m, affof(x->mp[i]), rregs[k]);
		for (unsigned k = 0; k < sizeof sregs / 4; k++) x->s[i][k] = us(m, affof(x->mp[i]), sregs[k]);
	}
}
static int restore(struct vm *m, const struct image *x, const char **where)
{
	int e = mk(m, 4, 0);
	*where = "vm";
	for (int i = 0; !e && i < 4; i++) { *where = "MPIDR"; e = set_mpidr(m, i, x->mp[i]); }
	if (!e) { *where = "gic"; e = gic_v3(m); }
	if (!e) { *where = "IIDR"; e = set_at(m, G_DIST, 8, x->d[9]); }
	for (int i = 0; !e && i < 4; i++)
		for (unsigned k = 0; !e && k < sizeof rregs / 4; k++) { *where = "redist"; e = set_at(m, G_RED, AT(affof(x->mp[i]), rregs[k]), x->r[i][k]); }
	for (unsigned k = 0; !e && k < sizeof dregs / 4 - 1; k++) { *where = "dist"; e = set_at(m, G_DIST, dregs[k], x->d[k]); }
	for (int n = 32; !e && n < 64; n++) {
		*where = "IROUTER"; e = set_at(m, G_DIST, IROUTER(n), x->d[64 + 2 * n]);
		if (!e) e = set_at(m, G_DIST, IROUTER(n) + 4, x->d[65 + 2 * n]);
	}
	for (int i = 0; !e && i < 4; i++)
		for (unsigned k = 0; !e && k < sizeof sregs / 4; k++) {
			static char w[40]; snprintf(w, 40, "sysreg %x of vCPU %d", sregs[k], i); *where = w;
			e = set_at(m, G_SYS, AT(affof(x->mp[i]), sregs[k]), x->s[i][k]);
		}
	return e;
}
static void roundtrip(u64 mp1, int r40, u32 xorctlr)
{
	static struct image a, b; SV, m2; const char *w;
	NEED(mk(&m, 4, 0)); set_mpidr(&m, 1, mp1); NEED(gic_v3(&m)); cpuifs(&m); gw32(&m, 0, GICD, 2); gw32(&m, 0, IR(40), r40); spi_on(&m, 40);
	save(&m, &a);
	for (int i = 0; i < 4; i++) a.s[i][0] ^= xorctlr;
	int e = restore(&m2, &a, &w);
	if (e) { out("%s at %s (MPIDR of vCPU 1 %llx)", ename(e), w, L(mpidr(&m2, 1))); return; }
	save(&m2, &b);
	out("%s (TGT_ID %d, IROUTER(40) %x)", memcmp(&a, &b, sizeof a) ? "differs" : "equal", tgt(&m2, 40), ud(&m2, IROUTER(40)));
}
static void c106(void) { roundtrip(0x80000001, 2, 0); }
static void c107(void) { roundtrip(0x80000001, 2, 0x8000); }	/* A3V flipped = image of the other host */
static void c108(void) { roundtrip(0x180000001, 2, 0x8000); }
static void c110(void)
{
	SV; NEED(mkS(&m)); NEED(set_at(&m, G_DIST, IROUTER(40), 9)); NEED(set_at(&m, G_DIST, IROUTER(40) + 4, 7)); set_mpidr(&m, 1, 0x780000009);
	int t = tgt(&m, 40); if (t < 0) out("none (%d); ", t); else out("%d; ", t); out("%llx", L(gr64(&m, 0, IR(40))));
}
static void c114(void)
{
	SV; char l[256]; NEED(mkS(&m)); gw64(&m, 0, IR(40), 0x100000002); NEED(state_row(&m, 40, 0, l, sizeof l));
	out("`%.8s` in [%s]", l + 40, l);
}
static void v2if(struct vm *m) { for (int i = 0; i < m->n; i++) { gw32(m, i, GICC + 4, 0xff); gw32(m, i, GICC, 1); } }
static unsigned v2take(struct vm *m, int n, u32 *iar)
{
	unsigned k = 0;
	for (int i = 0; i < m->n; i++) { u32 v = gr32(m, i, GICC + 12); if ((v & 0x3ff) == (u32)n) { k |= 1u << i; *iar = v; } if ((v & 0x3ff) < 1020) gw32(m, i, GICC + 16, v); }
	return k;
}
static void c115(void)
{
	SV; u32 iar = 0; NEED(mk(&m, 4, 0)); NEED(gic_v2(&m)); v2if(&m); gw32(&m, 0, GICD, 1); g(&m, 0, O_W8, GICD + 0x800 + 40, 6); spi_on(&m, 40); spi_pend(&m, 40);
	who(v2take(&m, 40, &iar)); out("; %02llx", L(g(&m, 0, O_R8, GICD + 0x800 + 40, 0)));
}
static void c116(void)
{
	SV; u32 iar = 0; NEED(mk(&m, 4, 0)); NEED(gic_v2(&m)); set_mpidr(&m, 1, 0x180000001); v2if(&m); gw32(&m, 0, GICD, 1);
	gw32(&m, 0, GICD + 0xf00, 2 << 16 | 5); who(v2take(&m, 5, &iar)); out(", source %x", iar >> 10 & 7);
}
static void c117(void)
{
	SV; NEED(mkSf(&m, F_32)); out("SET %s: ", ename(set_mpidr(&m, 1, 0x180000001)));
	for (int i = 0; i < 2; i++) { g(&m, i, T_PMR, 0xff, 0); g(&m, i, T_EN1, 1, 0); }
	g(&m, 0, T_W32, GICD, 2); g(&m, 0, T_SGI1R, 5 << 24 | 2, 0);
	out("SGI 5 IAR on vCPU 1 = %s; ", gv(g(&m, 1, T_IAR1, 0, 0)));
	g(&m, 0, T_SGI1R, 6 << 24 | 2, 1 << 16);	/* Aff3 = 1: high word bits 23:16 */
	out("with Aff3=1, SGI 6 IAR = %s; guest MPIDR %s", gv(g(&m, 1, T_IAR1, 0, 0)), gv(g(&m, 1, T_MPIDR, 0, 0)));
}
static void c118(void) { SV; NEED(mkS(&m)); out("%s", psci(hvc(&m, 0, 0xc4000003, 0x80000001, RAM, 0))); }
static void c119(void) { SV; NEED(offvm(&m, 2)); set_mpidr(&m, 1, 0x180000001); out("%s", psci(hvc(&m, 0, 0x84000003, 1, RAM, 0))); }
static void c120(void)
{
	SV; NEED(mkS(&m)); out("%llx ; ", L(hvc(&m, 0, 0xc4000004, 0, 1, 0))); out("%s", psci(hvc(&m, 0, 0xc4000004, 0, 4, 0)));
}
#include "probes.h"

static const struct tcase tab[] = {
	{ "C01", V3, c01 }, { "C02", V3, c02 }, { "C03", V3, c03 }, { "C04", V3, c04 }, { "C05", H1, c05 }, { "C06", H0, c05 },
	{ "C07", V2, c07 }, { "C09", V3, c09 }, { "C10", H0, c10 }, { "C11", V3, c11 }, { "C12", V3, c12 }, { "C13", V3, c13 },
	{ "C14", V3, c14 }, { "C15", V3, c15 }, { "C16", V3, c16 }, { "C17", V3, c17 }, { "C18", V3, c18 }, { "C19", V3, c19 },
	{ "C20", V3, c20 }, { "C21", V3, c21 }, { "C22", H0, c22 },
	{ "C23", V3, c23 }, { "C24", H1, c24 }, { "C25", H0, c24 }, { "C26", V3, c26 }, { "C27", V3, c27 }, { "C28", V3, c28 },
	{ "C29", V3, c29 }, { "C30", V3, c30 }, { "C31", V3, c31 }, { "C32", V3, c32 }, { "C33", V3, c33 }, { "C34", V3, c34 },
	{ "C35", V3, c35 }, { "C36", H1, c36 }, { "C37", H0, c36 }, { "C38", V3, c38 },
	{ "C39", V3, c39 }, { "C40", H1, c40 }, { "C41", H0, c41 }, { "C42", V3, c42 }, { "C43", H1, c43 }, { "C44", H1, c44 },
	{ "C45", H0, c44 }, { "C46", V3, c46 }, { "C47", V3, c47 }, { "C48", V3, c48 }, { "C49", V3, c49 }, { "C50", V3, c50 },
	{ "C51", V3, c51 }, { "C52", V3, c52 }, { "C53", V3, c53 }, { "C54", V3, c54 }, { "C55", V3, c55 }, { "C56", V3, c56 },
	{ "C57", V3, c57 }, { "C58", V3, c58 }, { "C59", H0, c59 }, { "C60", V3, c60 },
	{ "C61", V3, c61 }, { "C62", V3, c62 }, { "C63", H1, c63 }, { "C64", H0, c63 }, { "C65", V3, c65 }, { "C66", V3, c66 },
	{ "C67", V3, c67 }, { "C68", V3, c68 }, { "C69", V3, c69 }, { "C70", V3, c70 }, { "C71", V2, c71 }, { "C72", V3, c72 },
	{ "C73", H1, c73 }, { "C74", H0, c73 }, { "C75", H0, c75 }, { "C76", H1, c76 }, { "C77", H1, c77 }, { "C78", H1, c78 },
	{ "C79", H1, c79 }, { "C80", H0, c80 }, { "C81", H0, c81 }, { "C83", H1, c83 }, { "C84", H1, c84 }, { "C85", V3, c85 },
	{ "C86", V3, c86 }, { "C87", H1, c87 }, { "C88", V3, c88 }, { "C89", V3, c89 }, { "C90", V3, c90 }, { "C91", V3, c91 }, { "C92", V3, c92 },
	{ "C93", V3, c93 }, { "C94", V3, c94 }, { "C95", V3, c95 }, { "C96", V3, c96 }, { "C97", V3, c97 }, { "C98", V3, c98 },
	{ "C99", V3, c99 }, { "C100", V3, c100 }, { "C101", V3, c101 }, { "C102", V2, c102 }, { "C103", V3, c103 }, { "C104", V3, c104 }, { "C105", V3, c105 },
	{ "C106", V3, c106 }, { "C107", H0, c107 }, { "C108", H0, c108 }, { "C110", V3, c110 }, { "C114", H1, c114 },
	{ "C115", V2, c115 }, { "C116", V2, c116 }, { "C117", V3, c117 }, { "C118", V3, c118 }, { "C119", V3, c119 }, { "C120", V3, c120 },
	PROBES
};
int main(int ac, char **av) { return oracle_main(tab, sizeof tab / sizeof *tab, ac, av); }
