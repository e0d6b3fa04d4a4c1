/* SPDX-License-Identifier: MIT
 *
 * kvm-oracle for the ITS: performs /its.script (see there) on a real KVM and prints each step with its result:
 *
 *     <step> <TAB> <result>
 *
 * Runs as /init of a small initramfs, as cases.c does; record-its.sh builds and runs it.
 */
#include "oracle.h"

#define ITS_BASE 0x08080000ull
#define RAM_SIZE (2ull << 20)

static struct vm m;

static int its_attr(int op, u32 group, u64 attr, u64 *value) { return dev_attr(op, m.its, group, attr, value); }

static u64 its_get(u64 offset)
{
	u64 v = 0;
	its_attr(KVM_GET_DEVICE_ATTR, G_ITS, offset, &v);
	return v;
}

static u64 *word(u64 address)
{
	static u64 nowhere;
	return address >= RAM && address + 8 <= RAM + RAM_SIZE ? (u64 *)(m.mem + (address - RAM)) : &nowhere;
}

static void value_or(int e, u64 v)
{
	if (e) out("%s", ename(e));
	else out("%llx", (unsigned long long)v);
}

/* the packed affinity of a vCPU with a small id */
static u64 aff(int cpu) { return (u64)(m.id[cpu] & 15) | (u64)(m.id[cpu] >> 4 & 255) << 8; }

/* one command into the ring, as a VMM would: through GITS_CWRITER */
static void command(u64 *w)
{
	u64 cbaser = its_get(0x80), at = its_get(0x88);
	u64 size = ((cbaser & 0xff) + 1) << 12, ring = cbaser & 0xffffffffff000ull;
	for (int i = 0; i < 4; i++)
		*word(ring + at + 8 * i) = w[i];
	at = (at + 32) % size;
	int e = its_attr(KVM_SET_DEVICE_ATTR, G_ITS, 0x88, &at);
	if (e) out("%s", ename(e));
	else out("%llx", (unsigned long long)its_get(0x90));
}

/* Lets every vCPU run for an instruction or two: KVM prunes and migrates the ap_list of a vCPU when it exits. */
static void settle(void)
{
	for (int i = 0; i < m.n; i++)
		g(&m, i, O_PMR, 0xff, 0);
}

/* INTID, target, flags, priority and ap_list of each LPI, as vgic-state has them */
static void lpis(void)
{
	char p[128], line[256];
	settle();
	snprintf(p, sizeof p, "/sys/kernel/debug/kvm/%d-%d/vgic-state", getpid(), m.fd);
	FILE *f = fopen(p, "r");
	if (!f) { out("%s", ename(errno)); return; }
	while (fgets(line, sizeof line, f)) {
		int id, target, hwid, pri, vcpu;
		char t[8], flags[8], affinity[12], src[8];
		if (sscanf(line, " %3s %d %d %7s %d %11s %7s %d %d", t, &id, &target, flags, &hwid, affinity, src, &pri, &vcpu) == 9
		    && !strcmp(t, "LPI"))
			out("%s%d:%d:%c%c:%x:%d", *outbuf ? " " : "", id, target, flags[0], flags[3], pri, vcpu);
	}
	fclose(f);
	if (!*outbuf) out("none");
}

static void msi(u64 *a, int n)
{
	u64 address = n > 3 ? a[3] : ITS_BASE + 0x10040;
	struct kvm_msi k = { .address_lo = (u32)address, .address_hi = address >> 32, .data = a[1],
			     .flags = n > 2 ? a[2] : KVM_MSI_VALID_DEVID, .devid = a[0] };
	errno = 0;
	int r = ioctl(m.fd, KVM_SIGNAL_MSI, &k);
	if (r < 0) out("%s", ename(errno));
	else out("%d", r);
}

static void new_vm(u64 *ids, int n)
{
	int e = vm_new(&m);
	for (int i = 0; !e && i < n; i++)
		e = vcpu_add(&m, ids[i], 0);
	if (!e) e = gic_v3(&m);
	out("%s", ename(e));
}

static void step(const char *verb, u64 *a, int n)
{
	u64 v = a[n > 0 ? n - 1 : 0];
	int e = 0;
	if (!strcmp(verb, "vm")) new_vm(a, n);
	else if (!strcmp(verb, "create")) {
		struct kvm_create_device d = { 8, 0, 0 };
		e = ERR(ioctl(m.fd, KVM_CREATE_DEVICE, &d));
		if (!e) m.its = d.fd;
		out("%s", ename(e));
	}
	else if (!strcmp(verb, "place")) out("%s", ename(its_attr(KVM_SET_DEVICE_ATTR, G_ADDR, A_ITS, &v)));
	else if (!strcmp(verb, "has")) out("%s", ename(dev_attr(KVM_HAS_DEVICE_ATTR, m.its, a[0], a[1], 0)));
	else if (!strcmp(verb, "get")) { v = 0; e = its_attr(KVM_GET_DEVICE_ATTR, a[0], a[1], &v); value_or(e, v); }
	else if (!strcmp(verb, "set")) out("%s", ename(its_attr(KVM_SET_DEVICE_ATTR, a[0], a[1], &v)));
	else if (!strcmp(verb, "rd")) { e = get_at(&m, G_RED, AT(aff(a[0]), a[1]), &v); value_or(e, (u32)v); }
	else if (!strcmp(verb, "rd=")) out("%s", ename(set_at(&m, G_RED, AT(aff(a[0]), a[1]), v)));
	else if (!strcmp(verb, "dist")) { e = get_at(&m, G_DIST, a[0], &v); value_or(e, (u32)v); }
	else if (!strcmp(verb, "dist=")) out("%s", ename(set_at(&m, G_DIST, a[0], v)));
	else if (!strcmp(verb, "mem")) out("%llx", (unsigned long long)*word(a[0]));
	else if (!strcmp(verb, "mem=")) { *word(a[0]) = v; out("0"); }
	else if (!strcmp(verb, "byte")) out("%x", ((unsigned char *)word(a[0] & ~7ull))[a[0] & 7]);
	else if (!strcmp(verb, "byte=")) { ((unsigned char *)word(a[0] & ~7ull))[a[0] & 7] = v; out("0"); }
	else if (!strcmp(verb, "cmd")) command(a);
	else if (!strcmp(verb, "msi")) msi(a, n);
	else if (!strcmp(verb, "pending")) out("%s", ename(set_at(&m, G_CTRL, 3, 0)));
	else if (!strcmp(verb, "lpis")) lpis();
	else if (!strcmp(verb, "open")) { for (int i = 0; i < m.n; i++) cpuif(&m, i); gw32(&m, 0, GICD, 2); out("0"); }
	else if (!strcmp(verb, "ack")) { settle(); v = g(&m, a[0], O_IAR1, 0, 0); if (v != 1023) g(&m, a[0], O_EOIR1, v, 0); out("%d", (int)v); }
	else if (!strcmp(verb, "guest")) out("%llx", (unsigned long long)gr64(&m, 0, ITS_BASE + a[0]));
	else if (!strcmp(verb, "guest=")) { gw64(&m, 0, ITS_BASE + a[0], v); out("0"); }
	else if (!strcmp(verb, "guest32")) out("%llx", (unsigned long long)gr32(&m, 0, ITS_BASE + a[0]));
	else if (!strcmp(verb, "guest32=")) { gw32(&m, 0, ITS_BASE + a[0], v); out("0"); }
	else out("no such step");
}

static void perform(void)
{
	char line[512];
	FILE *f = fopen("/its.script", "r");
	if (!f) { printf("#\tno script\n"); return; }
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\r\n")] = 0;
		if (!*line || *line == '#') continue;
		char verb[32], rest[512];
		u64 a[16] = { 0 };
		int n = 0;
		snprintf(rest, sizeof rest, "%s", line);
		char *save, *w = strtok_r(rest, " ", &save);
		snprintf(verb, sizeof verb, "%s", w ? w : "");
		while ((w = strtok_r(0, " ", &save)) && n < 16)
			a[n++] = strtoull(w, 0, 0);
		*outbuf = 0;
		step(verb, a, n);
		printf("%s\t%s\n", line, outbuf);
	}
	fclose(f);
}

static void its_case(void) { perform(); *outbuf = 0; out("done"); }
static const struct tcase tab[] = { { "ITS", V3, its_case } };
int main(int ac, char **av) { return oracle_main(tab, 1, ac, av); }
