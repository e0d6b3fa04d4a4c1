/* SPDX-License-Identifier: MIT
 *
 * kvm-oracle, step by step: performs /steps.script on a real KVM and prints each step with its result:
 *
 *     <step> <TAB> <result>
 *
 * scripts/README.md says what a step is.  Runs as /init of a small initramfs, as cases.c does; record-script.ts
 * builds and runs it.
 */
#include "oracle.h"
#include <sys/eventfd.h>

#define ITS_BASE 0x08080000ull
#define RAM_SIZE (2ull << 20)

static struct vm m;

static u64 *word(u64 address)
{
	static u64 nowhere;
	return address >= RAM && address + 8 <= RAM + RAM_SIZE ? (u64 *)(m.mem + (address - RAM)) : &nowhere;
}
static unsigned char *byte(u64 address) { return (unsigned char *)word(address & ~7ull) + (address & 7); }

static void error(int e) { out("%s", ename(e)); }
static void value(u64 v) { out("%llx", (unsigned long long)v); }
static void value_or(int e, u64 v)
{
	if (e) error(e);
	else value(v);
}
/* what a guest's operation gave */
static void got(u64 v)
{
	if (v == BLOCKED) out("BLOCKED");
	else if (v == 0x8000000002000000ull) out("UNDEF");
	else if (v >> 56 == 0xe0) error(v & 0xffff);	/* KVM_RUN failed */
	else value(v);
}

/* the packed affinity of a vCPU, as it is now */
static u64 aff(int cpu)
{
	u64 r = mpidr(&m, cpu);
	return (r & 0xffffff) | (r >> 32 & 0xff) << 24;
}

/* ---- VMs ---- */
static void forget_eventfds(void);
static void vcpus(u64 *ids, int n, int (*gic)(struct vm *))
{
	forget_eventfds();
	int e = vm_new(&m);
	for (int i = 0; !e && i < n; i++)
		e = vcpu_add(&m, ids[i], 0);
	error(e || !gic ? e : gic(&m));
}
static void s_bare(u64 *a, int n) { vcpus(a, n, 0); }
static void s_vm(u64 *a, int n) { vcpus(a, n, gic_v3); }
static void s_vm2(u64 *a, int n) { vcpus(a, n, gic_v2); }
static void s_vcpu(u64 *a, int n) { (void)n; error(vcpu_add(&m, a[0], 0)); }
static void s_mpidr(u64 *a, int n) { (void)n; error(set_mpidr(&m, a[0], a[1])); }
static void s_create(u64 *a, int n) { (void)n; error(vcpu_raw(&m, a[0])); }
static void s_init(u64 *a, int n) { (void)n; error(vcpu_init(&m, a[0], a[1])); }
static void s_cap(u64 *a, int n)
{
	(void)n;
	int r = ioctl(m.fd, KVM_CHECK_EXTENSION, a[0]);
	if (r < 0) error(errno);
	else out("%d", r);
}
static void s_run(u64 *a, int n)
{
	(void)n;
	u64 v = g(&m, a[0], O_NOP, 0, 0);
	error(v >> 56 == 0xe0 ? v & 0xffff : 0);
}

/* ---- devices ---- */
static void s_device(u64 *a, int n)
{
	(void)n;
	struct kvm_create_device d = { a[0], 0, 0 };
	int e = ERR(ioctl(m.fd, KVM_CREATE_DEVICE, &d));
	if (!e && a[0] == 8) m.its = d.fd;
	else if (!e) m.gic = d.fd;
	error(e);
}
static void has(int fd, u64 *a) { error(dev_attr(KVM_HAS_DEVICE_ATTR, fd, a[0], a[1], 0)); }
static void get(int fd, u64 *a, int n)
{
	u64 v = n > 2 ? a[2] : 0;
	int e = dev_attr(KVM_GET_DEVICE_ATTR, fd, a[0], a[1], &v);
	value_or(e, v);
}
static void set(int fd, u64 *a) { error(dev_attr(KVM_SET_DEVICE_ATTR, fd, a[0], a[1], &a[2])); }
static void s_has(u64 *a, int n) { (void)n; has(m.gic, a); }
static void s_get(u64 *a, int n) { get(m.gic, a, n); }
static void s_set(u64 *a, int n) { (void)n; set(m.gic, a); }
static void s_its_has(u64 *a, int n) { (void)n; has(m.its, a); }
static void s_its_get(u64 *a, int n) { get(m.its, a, n); }
static void s_its_set(u64 *a, int n) { (void)n; set(m.its, a); }

/* of a vCPU; the value is an int */
static void s_vhas(u64 *a, int n) { (void)n; error(dev_attr(KVM_HAS_DEVICE_ATTR, m.v[a[0]], a[1], a[2], 0)); }
static void s_vget(u64 *a, int n)
{
	(void)n;
	int v = 0;
	int e = dev_attr(KVM_GET_DEVICE_ATTR, m.v[a[0]], a[1], a[2], &v);
	value_or(e, (u32)v);
}
static void s_vset(u64 *a, int n)
{
	int v = a[3];
	error(dev_attr(KVM_SET_DEVICE_ATTR, m.v[a[0]], a[1], a[2], n > 3 ? &v : 0));
}

/* a register of the vGIC, 32 bits but for CPU_SYSREGS */
static void reg(u32 group, u64 attr)
{
	u64 v;
	int e = get_at(&m, group, attr, &v);
	value_or(e, group == G_SYS ? v : (u32)v);
}
static void s_dist(u64 *a, int n) { (void)n; reg(G_DIST, a[0]); }
static void s_dist_set(u64 *a, int n) { (void)n; error(set_at(&m, G_DIST, a[0], a[1])); }
static void s_rd(u64 *a, int n) { (void)n; reg(G_RED, AT(aff(a[0]), a[1])); }
static void s_rd_set(u64 *a, int n) { (void)n; error(set_at(&m, G_RED, AT(aff(a[0]), a[1]), a[2])); }
static void s_sys(u64 *a, int n) { (void)n; reg(G_SYS, AT(aff(a[0]), a[1])); }
static void s_sys_set(u64 *a, int n) { (void)n; error(set_at(&m, G_SYS, AT(aff(a[0]), a[1]), a[2])); }
static void s_level(u64 *a, int n) { (void)n; reg(G_LVL, AT(aff(a[0]), a[1])); }
static void s_level_set(u64 *a, int n) { (void)n; error(set_at(&m, G_LVL, AT(aff(a[0]), a[1]), a[2])); }
static void s_dist2(u64 *a, int n) { (void)n; reg(G_DIST, AT(a[0], a[1])); }
static void s_dist2_set(u64 *a, int n) { (void)n; error(set_at(&m, G_DIST, AT(a[0], a[1]), a[2])); }
static void s_cpu2(u64 *a, int n) { (void)n; reg(G_CPU, AT(a[0], a[1])); }
static void s_cpu2_set(u64 *a, int n) { (void)n; error(set_at(&m, G_CPU, AT(a[0], a[1]), a[2])); }

/* ---- interrupts ---- */
static void s_line(u64 *a, int n) { (void)n; error(irq_line(&m, a[0], a[1], a[2], a[3])); }
static void s_msi(u64 *a, int n)
{
	u64 address = n > 3 ? a[3] : ITS_BASE + 0x10040;
	struct kvm_msi k = { .address_lo = (u32)address, .address_hi = address >> 32, .data = a[1],
			     .flags = n > 2 ? a[2] : KVM_MSI_VALID_DEVID, .devid = a[0] };
	errno = 0;
	int r = ioctl(m.fd, KVM_SIGNAL_MSI, &k);
	if (r < 0) error(errno);
	else out("%d", r);
}

/* ---- routes of GSIs, and eventfds ---- */
#define MAX_ROUTES 4097
static struct { struct kvm_irq_routing r; struct kvm_irq_routing_entry e[MAX_ROUTES]; } table;
static void set_routes(u32 n, u32 flags)
{
	table.r.nr = n;
	table.r.flags = flags;
	error(ERR(ioctl(m.fd, KVM_SET_GSI_ROUTING, &table)));
}
/* the table's flags, then for each entry: GSI, type, flags, and chip, pin, 0 or address, data, device */
static void s_routes(u64 *a, int n)
{
	memset(&table, 0, sizeof table);
	u32 count = 0;
	for (int i = 1; i + 5 < n; i += 6) {
		struct kvm_irq_routing_entry *e = &table.r.entries[count++];
		e->gsi = a[i];
		e->type = a[i + 1];
		e->flags = a[i + 2];
		if (e->type == KVM_IRQ_ROUTING_MSI) {
			e->u.msi.address_lo = (u32)a[i + 3];
			e->u.msi.address_hi = a[i + 3] >> 32;
			e->u.msi.data = a[i + 4];
			e->u.msi.devid = a[i + 5];
		} else {
			e->u.irqchip.irqchip = a[i + 3];
			e->u.irqchip.pin = a[i + 4];
		}
	}
	set_routes(count, a[0]);
}
/* so many: GSI i to pin 0 */
static void s_many_routes(u64 *a, int n)
{
	(void)n;
	memset(&table, 0, sizeof table);
	for (u32 i = 0; i < a[0] && i < MAX_ROUTES; i++) {
		table.r.entries[i].gsi = i;
		table.r.entries[i].type = KVM_IRQ_ROUTING_IRQCHIP;
	}
	set_routes(a[0], 0);
}
static int event[16];
static void forget_eventfds(void)
{
	for (int i = 0; i < 16; i++) {
		if (event[i]) close(event[i]);
		event[i] = 0;
	}
}
static int eventfd_of(u64 n)
{
	if (!event[n & 15]) event[n & 15] = eventfd(0, EFD_NONBLOCK);
	return event[n & 15];
}
static void s_irqfd(u64 *a, int n)
{
	struct kvm_irqfd q = { .fd = eventfd_of(a[0]), .gsi = a[1], .flags = a[2] };
	if (n > 3) q.resamplefd = eventfd_of(a[3]);
	error(ERR(ioctl(m.fd, KVM_IRQFD, &q)));
}
static void s_signal(u64 *a, int n)
{
	(void)n;
	u64 one = 1;
	int e = write(eventfd_of(a[0]), &one, 8) == 8 ? 0 : errno;
	usleep(50000);	/* KVM may leave it to a work queue */
	error(e);
}
/* how often it was written to */
static void s_drain(u64 *a, int n)
{
	(void)n;
	u64 v = 0;
	value_or(read(eventfd_of(a[0]), &v, 8) == 8 ? 0 : errno, v);
}
static void s_pending(u64 *a, int n) { (void)a; (void)n; error(set_at(&m, G_CTRL, 3, 0)); }

/* Lets every vCPU run for an instruction or two: KVM prunes and migrates the ap_list of a vCPU when it exits. */
static void settle(void)
{
	for (int i = 0; i < m.n; i++)
		g(&m, i, O_NOP, 0, 0);
}
static void s_settle(u64 *a, int n) { (void)a; (void)n; settle(); error(0); }

/* vgic-state's rows of which `wanted` says so: INTID:target:flags:priority:ap_list */
static void rows(int (*wanted)(int intid, int block, u64 *a, int n), u64 *a, int n)
{
	char p[128], line[256];
	int block = -1;
	snprintf(p, sizeof p, "/sys/kernel/debug/kvm/%d-%d/vgic-state", getpid(), m.fd);
	FILE *f = fopen(p, "r");
	if (!f) { error(errno); return; }
	while (fgets(line, sizeof line, f)) {
		int id, target, hwid, pri, vcpu;
		char t[8], flags[8], target_mask[12], src[8];
		if (strstr(line, " TYP ")) block++;
		if (sscanf(line, " %3s %d %d %7s %d %11s %7s %d %d", t, &id, &target, flags, &hwid, target_mask, src, &pri, &vcpu) == 9
		    && wanted(id, block, a, n))
			out("%s%d:%d:%s:%x:%d", *outbuf ? " " : "", id, target, flags, pri, vcpu);
	}
	fclose(f);
	if (!*outbuf) out("none");
}
/* the first argument is the vCPU whose private interrupts are meant */
static int is_listed(int intid, int block, u64 *a, int n)
{
	for (int i = 1; i < n; i++)
		if ((u64)intid == a[i] && (intid >= 32 || (u64)block == a[0])) return 1;
	return 0;
}
static int is_lpi(int intid, int block, u64 *a, int n) { (void)block; (void)a; (void)n; return intid >= 8192; }
static void s_irqs(u64 *a, int n) { rows(is_listed, a, n); }
static void s_lpis(u64 *a, int n) { settle(); rows(is_lpi, a, n); }

/* ---- the ITS ---- */
static u64 its_get(u64 offset)
{
	u64 v = 0;
	dev_attr(KVM_GET_DEVICE_ATTR, m.its, G_ITS, offset, &v);
	return v;
}
static void s_place(u64 *a, int n) { (void)n; error(dev_attr(KVM_SET_DEVICE_ATTR, m.its, G_ADDR, A_ITS, &a[0])); }
/* one command into the ring, as a VMM would: through GITS_CWRITER */
static void s_cmd(u64 *w, int n)
{
	(void)n;
	u64 cbaser = its_get(0x80), at = its_get(0x88);
	u64 size = ((cbaser & 0xff) + 1) << 12, ring = cbaser & 0xffffffffff000ull;
	for (int i = 0; i < 4; i++)
		*word(ring + at + 8 * i) = w[i];
	at = (at + 32) % size;
	int e = dev_attr(KVM_SET_DEVICE_ATTR, m.its, G_ITS, 0x88, &at);
	value_or(e, its_get(0x90));
}

/* ---- guest memory ---- */
static void s_mem(u64 *a, int n) { (void)n; value(*word(a[0])); }
static void s_mem_set(u64 *a, int n) { (void)n; *word(a[0]) = a[1]; error(0); }
static void s_byte(u64 *a, int n) { (void)n; value(*byte(a[0])); }
static void s_byte_set(u64 *a, int n) { (void)n; *byte(a[0]) = a[1]; error(0); }

/* ---- the guest ---- */
static void s_open(u64 *a, int n) { (void)a; (void)n; cpuifs(&m); gw32(&m, 0, GICD, 2); error(0); }
static void s_ack(u64 *a, int n)
{
	(void)n;
	settle();
	u64 v = g(&m, a[0], MRS_IAR1, 0, 0);
	if (v != 1023) g(&m, a[0], MSR_EOIR1, v, 0);
	out("%d", (int)v);
}
static void s_r8(u64 *a, int n) { (void)n; got(g(&m, a[0], O_R8, a[1], 0)); }
static void s_r16(u64 *a, int n) { (void)n; got(g(&m, a[0], O_R16, a[1], 0)); }
static void s_r32(u64 *a, int n) { (void)n; got(g(&m, a[0], O_R32, a[1], 0)); }
static void s_r64(u64 *a, int n) { (void)n; got(g(&m, a[0], O_R64, a[1], 0)); }
static void store(u64 op, u64 *a) { g(&m, a[0], op, a[1], a[2]); error(0); }
static void s_w8(u64 *a, int n) { (void)n; store(O_W8, a); }
static void s_w16(u64 *a, int n) { (void)n; store(O_W16, a); }
static void s_w32(u64 *a, int n) { (void)n; store(O_W32, a); }
static void s_w64(u64 *a, int n) { (void)n; store(O_W64, a); }
#define ICC_NAME(name, crn, crm, op2) { "ICC_" #name "_EL1", I_##name, MRS_##name, MSR_##name },
static const struct { const char *name; u64 code, mrs, msr; } icc[] = { ICC_REGS(ICC_NAME) };
#define N_ICC ((int)(sizeof icc / sizeof *icc))
static void s_mrs(u64 *a, int n)
{
	(void)n;
	for (int i = 0; i < N_ICC; i++)
		if (icc[i].code == a[1]) { got(g(&m, a[0], icc[i].mrs, 0, 0)); return; }
	out("no such register");
}
static void s_msr(u64 *a, int n)
{
	(void)n;
	for (int i = 0; i < N_ICC; i++)
		if (icc[i].code == a[1]) {
			u64 v = g(&m, a[0], icc[i].msr, a[2], 0);
			if (v >> 63) got(v);	/* an exception */
			else error(0);
			return;
		}
	out("no such register");
}

/* ---- the script ---- */
static const struct { const char *verb; void (*step)(u64 *a, int n); } verbs[] = {
	{ "bare", s_bare }, { "vm", s_vm }, { "vm2", s_vm2 }, { "vcpu", s_vcpu }, { "mpidr", s_mpidr }, { "run", s_run },
	{ "create", s_create }, { "init", s_init }, { "cap", s_cap }, { "vhas", s_vhas }, { "vget", s_vget }, { "vset", s_vset },
	{ "routes", s_routes }, { "many-routes", s_many_routes }, { "irqfd", s_irqfd }, { "signal", s_signal }, { "drain", s_drain },
	{ "device", s_device }, { "has", s_has }, { "get", s_get }, { "set", s_set },
	{ "its-has", s_its_has }, { "its-get", s_its_get }, { "its-set", s_its_set },
	{ "dist", s_dist }, { "dist=", s_dist_set }, { "rd", s_rd }, { "rd=", s_rd_set }, { "sys", s_sys }, { "sys=", s_sys_set },
	{ "level", s_level }, { "level=", s_level_set },
	{ "dist2", s_dist2 }, { "dist2=", s_dist2_set }, { "cpu2", s_cpu2 }, { "cpu2=", s_cpu2_set },
	{ "line", s_line }, { "msi", s_msi }, { "pending", s_pending }, { "settle", s_settle }, { "irqs", s_irqs }, { "lpis", s_lpis },
	{ "place", s_place }, { "cmd", s_cmd },
	{ "mem", s_mem }, { "mem=", s_mem_set }, { "byte", s_byte }, { "byte=", s_byte_set },
	{ "open", s_open }, { "ack", s_ack }, { "mrs", s_mrs }, { "msr", s_msr },
	{ "r8", s_r8 }, { "r16", s_r16 }, { "r32", s_r32 }, { "r64", s_r64 },
	{ "w8", s_w8 }, { "w16", s_w16 }, { "w32", s_w32 }, { "w64", s_w64 },
};
#define N_VERBS ((int)(sizeof verbs / sizeof *verbs))

static const struct { const char *name; u64 base; } places[] = {
	{ "GICD", GICD }, { "GICC", GICC }, { "ITS", ITS_BASE }, { "RAM", RAM },
	{ "RD0", RD(0) }, { "RD1", RD(1) }, { "RD2", RD(2) }, { "RD3", RD(3) },
	{ "SGI0", SGI(0) }, { "SGI1", SGI(1) }, { "SGI2", SGI(2) }, { "SGI3", SGI(3) },
};

/* a number, a register's name, a place, or a place + a number */
static u64 argument(char *w)
{
	for (int i = 0; i < N_ICC; i++)
		if (!strcmp(w, icc[i].name)) return icc[i].code;
	char *plus = strchr(w, '+');
	u64 offset = plus ? strtoull(plus + 1, 0, 0) : 0;
	if (plus) *plus = 0;
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
		if (!strcmp(w, places[i].name)) return places[i].base + offset;
	return strtoull(w, 0, 0);
}

static void step(const char *verb, u64 *a, int n)
{
	for (int i = 0; i < N_VERBS; i++)
		if (!strcmp(verb, verbs[i].verb)) { verbs[i].step(a, n); return; }
	out("no such step");
}

static void perform(void)
{
	char line[512];
	FILE *f = fopen("/steps.script", "r");
	if (!f) { printf("#\tno script\n"); return; }
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\r\n")] = 0;
		if (!*line || *line == '#') continue;
		char rest[512];
		u64 a[20] = { 0 };
		int n = 0;
		snprintf(rest, sizeof rest, "%s", line);
		char *save, *verb = strtok_r(rest, " ", &save), *w;
		while ((w = strtok_r(0, " ", &save)) && n < 20)
			a[n++] = argument(w);
		*outbuf = 0;
		step(verb ? verb : "", a, n);
		printf("%s\t%s\n", line, outbuf);
	}
	fclose(f);
}

static void script(void) { perform(); *outbuf = 0; out("done"); }
static const struct tcase tab[] = { { "SCRIPT", ANY, script } };
int main(int ac, char **av) { return oracle_main(tab, 1, ac, av); }
