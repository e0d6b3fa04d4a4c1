/* SPDX-License-Identifier: MIT
 *
 * Xnn: probes of single statements about KVM that no case covers.
 * Included by cases.c; the result texts are free-form "name=value" lists.
 */
static void x01(void)
{
	SV; u64 v; NEED(mk(&m, 4, 0)); NEED(gic_create(&m, 7));
	out("before INIT: GICD_IIDR get %s", ename(get_at(&m, G_DIST, 8, &v))); out(" set %s", ename(set_at(&m, G_DIST, 8, 0x4b00343b)));
	out(", GICD_CTLR get %s", ename(get_at(&m, G_DIST, 0, &v))); out(", TYPER2 get %s", ename(get_at(&m, G_DIST, 12, &v)));
	out(", ICC_CTLR get %s", ename(get_at(&m, G_SYS, I_CTLR, &v)));
}
static void x02(void) { SV; NEED(mkS(&m)); out("CREATE_VCPU after CTRL_INIT %s", ename(vcpu_raw(&m, 9))); }
static void x03(void)
{
	SV; NEED(vm_new(&m)); NEED(vcpu_add(&m, 0, 0)); out("AArch64 then AArch32 %s", ename(vcpu_add(&m, 1, F_32)));
	NEED(vm_new(&m)); NEED(vcpu_add(&m, 0, F_32)); out(", AArch32 then AArch64 %s", ename(vcpu_add(&m, 1, 0)));
}
static void x04(void)
{
	SV; NEED(vm_new(&m)); NEED(vcpu_add(&m, 0, 0)); NEED(set_mpidr(&m, 0, 0x80000005)); NEED(vcpu_raw(&m, 1)); NEED(gic_v3(&m));
	out("attr(0) GICR_TYPER low with vCPU 0 at 0.0.0.5 and vCPU 1 never initialised: "); typ(&m, 0);
}
static void x05(void)
{
	SV; NEED(mk(&m, 4, 0)); NEED(gic_create(&m, 7)); NEED(set_at(&m, G_ADDR, A_REDIST, GICR));
	out("REGION index 1 after legacy %s", ename(region(&m, 4, 0x09000000, 1)));
}
static void x06(void)
{
	SV; u64 v; NEED(mk(&m, 4, 0)); NEED(gic_create(&m, 7)); NEED(set_at(&m, G_ADDR, A_DIST, GICD)); NEED(region(&m, 3, 0x08100000, 0)); NEED(gic_init(&m));
	out("run %s", ename(run_raw(&m, 3))); out(", then dist base %s", ename(get_at(&m, G_ADDR, A_DIST, &v))); out(" %llx", L(v));
	v = 0; int e = dev_attr(KVM_GET_DEVICE_ATTR, m.gic, G_ADDR, A_REGION, &v); out(", region 0 %s", ename(e));
	out(", run again %s", ename(run_raw(&m, 0)));
}
static void x07(void)
{
	SV; u64 v; NEED(mk(&m, 2, 0)); NEED(gic_create(&m, 7)); out("unset %s", ename(get_at(&m, G_NR, 0, &v))); out(" %llu", L(v));
	NEED(set_at(&m, G_ADDR, A_DIST, GICD)); NEED(set_at(&m, G_ADDR, A_REDIST, GICR)); NEED(gic_init(&m)); get_at(&m, G_NR, 0, &v); out(", after INIT %llu", L(v));
	out(", INIT again %s", ename(gic_init(&m)));
}
static void x08(void) { SV; NEED(vm_new(&m)); NEED(gic_create(&m, 7)); out("CTRL_INIT without a vCPU %s", ename(gic_init(&m))); out(", vCPU after that %s", ename(vcpu_raw(&m, 0))); }
static void x09(void)
{
	SV; NEED(mk(&m, 2, 0)); out("run without GIC %s", gv(g(&m, 0, O_NOP, 0, 0))); out(", CREATE vGICv3 after a run %s", ename(gic_create(&m, 7)));
	NEED(vm_new(&m)); NEED(vcpu_add(&m, 0, 0)); NEED(vcpu_add(&m, 1, F_OFF)); bg(&m, 1); out(", with a vCPU inside KVM_RUN %s", ename(gic_create(&m, 7)));
}
static void x10(void)
{
	SV; NEED(mk(&m, 2, 0)); NEED(gic_create(&m, 7)); NEED(set_at(&m, G_ADDR, A_DIST, GICD)); NEED(set_at(&m, G_ADDR, A_REDIST, GICR));
	out("before INIT %s", ename(irq_line(&m, 1, 0, 40, 1))); NEED(gic_init(&m));
	static const int t[][3] = { { 0, 0, 0 }, { 1, 0, 31 }, { 1, 0, 40 }, { 1, 0, 255 }, { 1, 0, 256 }, { 2, 0, 15 }, { 2, 0, 20 }, { 2, 0, 32 }, { 2, 9, 20 }, { 2, 0, 27 }, { 3, 0, 20 } };
	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) out(", type %d vcpu %d num %d: %s", t[i][0], t[i][1], t[i][2], ename(irq_line(&m, t[i][0], t[i][1], t[i][2], 1)));
	out(", PPI pending vCPU 0 %llx", L(gr32(&m, 0, SGI(0) + 0x200)));
}
static void x11(void)
{
	SV; NEED(mkS(&m)); out("HAS GICD_STATUSR %s", ename(has_at(&m, G_DIST, 0x10))); out(", HAS GICR_STATUSR %s", ename(has_at(&m, G_RED, 0x10)));
	out(", HAS GICR_WAKER %s", ename(has_at(&m, G_RED, 0x14))); out(", uaccess GICD_STATUSR %x GICR_STATUSR %x", ud(&m, 0x10), ur(&m, 0, 0x10));
	out(", guest GICR_STATUSR %llx WAKER %llx", L(gr32(&m, 0, RD(0) + 0x10)), L(gr32(&m, 0, RD(0) + 0x14)));
}
static void x12(void)
{
	SV; NEED(mkS(&m)); out("guest write %s", gv(g(&m, 1, O_WMPIDR, 7, 0))); out(", guest read %s", gv(g(&m, 1, O_MPIDR, 0, 0)));
	set_mpidr(&m, 1, 0x980000077ull); out(", after SET between runs %s", gv(g(&m, 1, O_MPIDR, 0, 0))); out(", redist TYPER %llx", L(gr64(&m, 1, RD(1) + 8)));
}
static void x13(void)
{
	SV; u64 v; NEED(mkS(&m)); out("32-bit size id %s", ename(get_reg(m.v[0], 0x602000000013c005ull, &v)));
	struct kvm_one_reg r = { R_MPIDR, 8 }; out(", bad pointer get %s", ename(ERR(ioctl(m.v[0], KVM_GET_ONE_REG, &r)))); out(" set %s", ename(ERR(ioctl(m.v[0], KVM_SET_ONE_REG, &r))));
}
static void x14(void)
{
	SV; NEED(mkS(&m)); set_mpidr(&m, 1, 0xffffffffffffffffull);
	out("MPIDR all ones: guest reads %s", gv(g(&m, 1, O_MPIDR, 0, 0))); out(", TYPER %llx", L(gr64(&m, 0, RD(1) + 8))); out(", attr(ffffffff) "); typ(&m, 0xffffffff);
}
static void x15(void)
{
	SV; NEED(mkS(&m)); out("GICR_CTLR %x GICR_IIDR %x PROPBASER %x_%x PENDBASER %x_%x", ur(&m, 0, 0), ur(&m, 0, 4), ur(&m, 0, 0x74), ur(&m, 0, 0x70), ur(&m, 0, 0x7c), ur(&m, 0, 0x78));
	gw64(&m, 0, RD(0) + 0x70, ~0ull); gw64(&m, 0, RD(0) + 0x78, ~0ull);
	out(", after all ones PROPBASER %llx PENDBASER %llx", L(gr64(&m, 0, RD(0) + 0x70)), L(gr64(&m, 0, RD(0) + 0x78)));
	out(", PIDR2 D %llx R %llx", L(gr32(&m, 0, GICD + 0xffe8)), L(gr32(&m, 0, RD(0) + 0xffe8)));
	gw32(&m, 0, RD(0), 1); out(", GICR_CTLR after write 1 (no ITS) %llx", L(gr32(&m, 0, RD(0))));
	gw32(&m, 0, GICD + 0x10, 0); out(", TYPER2 %llx", L(gr32(&m, 0, GICD + 12)));
}
static u64 its64(struct vm *m, u32 off) { u64 v = 0; int e = dev_attr(KVM_GET_DEVICE_ATTR, m->its, G_ITS, off, &v); return e ? 0xdead0000u | e : v; }
static void x16(void)
{
	SV; NEED(mkS(&m)); NEED(its_create(&m, 0x08080000)); out("PROPBASER %llx, ", L(gr64(&m, 0, RD(0) + 0x70)));
	out("GITS_CTLR %llx IIDR %llx TYPER %llx CBASER %llx BASER0 %llx BASER1 %llx BASER2 %llx", L(its64(&m, 0)), L(its64(&m, 4)), L(its64(&m, 8)), L(its64(&m, 0x80)), L(its64(&m, 0x100)), L(its64(&m, 0x108)), L(its64(&m, 0x110)));
	gw32(&m, 0, RD(0), 1); out(", GICR_CTLR after write 1 %llx", L(gr32(&m, 0, RD(0)))); out(", guest GITS_PIDR2 %llx", L(gr32(&m, 0, 0x08080000 + 0xffe8)));
}
static void x17(void)
{
	SV; u64 v; struct kvm_create_device d = { 7, 0, 1 }; NEED(vm_new(&m));
	out("CREATE type 0 %s", ename(gic_create(&m, 0))); out(", v2 %s", ename(gic_create(&m, 5))); out(", TEST v3 %s", ename(ERR(ioctl(m.fd, KVM_CREATE_DEVICE, &d))));
	out(", CREATE_IRQCHIP %s", ename(ERR(ioctl(m.fd, KVM_CREATE_IRQCHIP)))); out(", v3 %s", ename(gic_create(&m, 7))); out(", v3 again %s", ename(gic_create(&m, 7))); out(", v2 after v3 %s", ename(gic_create(&m, 5)));
	out(", dist unset %s", ename(get_at(&m, G_ADDR, A_DIST, &v))); out(" %llx", L(v));
}
static void x18(void)
{
	SV; NEED(offvm(&m, 2)); out("VERSION %llx", L(hvc(&m, 0, 0x84000000, 0, 0, 0))); out(", AFFINITY_INFO(1,0) %llx", L(hvc(&m, 0, 0xc4000004, 1, 0, 0)));
	out(", AFFINITY_INFO(77,0) %s", psci(hvc(&m, 0, 0xc4000004, 0x77, 0, 0))); out(", MIGRATE_INFO_TYPE %llx", L(hvc(&m, 0, 0x84000006, 0, 0, 0)));
	out(", CPU_ON(2) %s", psci(hvc(&m, 0, 0xc4000003, 2, RAM, 0))); out(", CPU_ON(77) %s", psci(hvc(&m, 0, 0xc4000003, 0x77, RAM, 0)));
	out(", CPU_ON(1) %s", psci(hvc(&m, 0, 0xc4000003, 1, RAM, 0))); out(", again %s", psci(hvc(&m, 0, 0xc4000003, 1, RAM, 0)));
	out(", FEATURES(CPU_ON) %llx", L(hvc(&m, 0, 0x8400000a, 0xc4000003, 0, 0))); out(", SMC conduit %s", psci(g6(&m, 0, O_SMC, 0x84000000, 0, 0, 0)));
	u64 e = hvc(&m, 0, 0x84000008, 0, 0, 0); out(", SYSTEM_OFF exit %llx type %x", L(e & 0xff), m.run[0]->system_event.type);
}
static void x19(void)
{
	SV; NEED(mkS(&m)); out("IGROUPR0 %x IGROUPR1 %x ISENABLER0 %x ISENABLER1 %x ICFGR0 %x ICFGR1 %x ICFGR2 %x PRIO32 %x", ur(&m, 0, 0x10080), ud(&m, 0x84), ur(&m, 0, 0x10100), ud(&m, 0x104), ur(&m, 0, 0x10c00), ur(&m, 0, 0x10c04), ud(&m, 0xc08), ud(&m, 0x420));
	gw32(&m, 0, GICD + 0x420, ~0u); gw32(&m, 0, GICD + 0x820, ~0u); gw32(&m, 0, SGI(0) + 0xc04, ~0u); gw32(&m, 0, GICD + 0xc08, ~0u);
	out(", after all ones PRIO32 %llx ITARGETSR32 %llx ICFGR1 %llx ICFGR2 %llx, GICD ISENABLER0 %llx, GICD_CTLR %llx", L(gr32(&m, 0, GICD + 0x420)), L(gr32(&m, 0, GICD + 0x820)), L(gr32(&m, 0, SGI(0) + 0xc04)), L(gr32(&m, 0, GICD + 0xc08)), L(gr32(&m, 0, GICD + 0x100)), L(gr32(&m, 0, GICD)));
	g(&m, 0, O_W16, GICD + 0x84, 0); out(", 16-bit write to IGROUPR1 leaves %llx", L(gr32(&m, 0, GICD + 0x84)));
}
static void x20(void)
{
	SV; static const u32 r[] = { I_PMR, I_BPR0, I_BPR1, I_CTLR, I_SRE, I_IGRPEN0, I_IGRPEN1 }; NEED(mkS(&m));
	for (unsigned i = 0; i < 7; i++) out("%x=%llx ", r[i], L(us(&m, 0, r[i])));
	out("SRE set 0 %s", ename(set_at(&m, G_SYS, I_SRE, 0))); out(" set 1 %s", ename(set_at(&m, G_SYS, I_SRE, 1))); out(" get %llx", L(us(&m, 0, I_SRE)));
	for (int i = 0; i < 4; i++) { u64 v; out(", AP0R%d HAS %s", i, ename(has_at(&m, G_SYS, I_AP0R(i)))); out(" GET %s", ename(get_at(&m, G_SYS, I_AP0R(i), &v))); }
	u64 v; out(", unknown HAS %s", ename(has_at(&m, G_SYS, 0xc677))); out(" GET %s", ename(get_at(&m, G_SYS, 0xc677, &v))); out(" SET %s", ename(set_at(&m, G_SYS, 0xc677, 0)));
	set_at(&m, G_SYS, I_BPR0, 0); out(", BPR0 set 0 get %llx", L(us(&m, 0, I_BPR0)));
	set_at(&m, G_SYS, I_CTLR, us(&m, 0, I_CTLR) | 1); set_at(&m, G_SYS, I_BPR0, 7); out(", CBPR=1 BPR0=7: BPR1 %llx", L(us(&m, 0, I_BPR1)));
}
static void x21(void)
{
	SV; NEED(sgivm(&m)); spi_on(&m, 40); NEED(irq_line(&m, 1, 0, 40, 1)); out("queued on vCPU 0 (TGT %d)", tgt(&m, 40)); gw32(&m, 1, IR(40), 1);
	struct row r; state(&m, 40, 0, &r); out(", rerouted: TGT %d ap_list %d", r.tgt, r.vcpu); g(&m, 0, O_NOP, 0, 0); state(&m, 40, 0, &r); out(", after vCPU 0 ran: ap_list %d", r.vcpu);
	out(", takes it: "); sgis(&m, 40);
}
static void x22(void)
{
	SV; char p[128], l[160]; NEED(mkS(&m)); snprintf(p, sizeof p, "/sys/kernel/debug/kvm/%d-%d/vgic-state", getpid(), m.fd);
	int a = open(p, O_RDONLY); int n = read(a, l, 10); int b = open(p, O_RDONLY); int e = ERR(read(b, l, 10)); out("second reader: open %s read %s (first read %d)", b < 0 ? "failed" : "0", ename(e), n); close(a); close(b);
	FILE *f = fopen(p, "r"); for (int i = 0; f && i < 15 && fgets(l, sizeof l, f); i++) { l[strcspn(l, "\n")] = 0; for (char *c = l; *c; c++) if (*c == '\t') *c = '~'; out(" |%s", l); }
}
static void x23(void)
{
	SV; NEED(mk(&m, 4, 0)); NEED(gic_create(&m, 7)); u64 lim = 1ull << (ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE) < 40 ? 39 : 40);
	out("HAS ADDR -1 %s", ename(has_at(&m, G_ADDR, ~0ull))); out(", dist 1000 %s", ename(set_at(&m, G_ADDR, A_DIST, 0x1000))); out(", redist 1000 %s", ename(set_at(&m, G_ADDR, A_REDIST, 0x1000)));
	out(", dist L %s", ename(set_at(&m, G_ADDR, A_DIST, lim))); out(", redist L %s", ename(set_at(&m, G_ADDR, A_REDIST, lim))); out(", redist L-64K %s", ename(set_at(&m, G_ADDR, A_REDIST, lim - 0x10000)));
	out(", v2 dist attr %s", ename(set_at(&m, G_ADDR, A_V2DIST, 0))); out(", v2 dist attr get %s", ename(has_at(&m, G_ADDR, A_V2DIST)));
	out(", region flags 2 %s", ename(set_at(&m, G_ADDR, A_REGION, 2ull << 52 | 0x200000 | 2 << 12))); out(", count 0 %s", ename(region(&m, 0, 0x200000, 0))); out(", first idx 1 %s", ename(region(&m, 2, 0x200000, 1)));
	out(", (2,200000,0) %s", ename(region(&m, 2, 0x200000, 0))); out(", misaligned idx 1 %s", ename(region(&m, 2, 0x201000, 1))); out(", overlap %s", ename(region(&m, 2, 0x200000, 1)));
	out(", idx 2 %s", ename(region(&m, 1, 0x240000, 2))); out(", (1,240000,1) %s", ename(region(&m, 1, 0x240000, 1))); out(", L %s", ename(region(&m, 1, lim, 2))); out(", (2,L-30000) %s", ename(region(&m, 2, lim - 0x30000, 2)));
	out(", legacy %s", ename(set_at(&m, G_ADDR, A_REDIST, 0x260000)));
	for (u64 i = 0; i < 3; i++) { u64 v = i; int e = dev_attr(KVM_GET_DEVICE_ATTR, m.gic, G_ADDR, A_REGION, &v); out(", get %d %s", (int)i, ename(e)); if (!e) out(" %llx", L(v)); }
	out(", dist 260000 %s", ename(set_at(&m, G_ADDR, A_DIST, 0x260000))); out(", region on dist %s", ename(region(&m, 1, 0x260000, 2)));
	out(", NULL %s", ename(dev_attr(KVM_SET_DEVICE_ATTR, m.gic, G_ADDR, A_REGION, 0)));
}
static void x24(void) /* selftest "typer" sequence */
{
	SV; NEED(vm_new(&m)); NEED(vcpu_add(&m, 0, 0)); NEED(gic_create(&m, 7)); NEED(set_at(&m, G_ADDR, A_DIST, 0)); NEED(vcpu_add(&m, 3, 0)); typ(&m, 1); NEED(vcpu_add(&m, 1, 0)); out("; "); typ(&m, 1);
	NEED(vcpu_add(&m, 2, 0)); NEED(gic_init(&m)); for (int i = 0; i < 4; i++) { out("; "); typ(&m, i); }
	out("; region %s: ", ename(region(&m, 2, 0x200000, 0))); typ(&m, 0); out(" "); typ(&m, 3); out("; region(10,100000) %s: ", ename(region(&m, 10, 0x100000, 1))); typ(&m, 1); out(" "); typ(&m, 2);
	out("; region(10,20000) %s: ", ename(region(&m, 10, 0x20000, 1))); typ(&m, 1); out(" "); typ(&m, 2);
}
static void x25(void)
{
	SV; u64 v; NEED(sgivm(&m)); gw32(&m, 0, GICD + 0xc08, 0xaaaaaaaa & ~0x20000u); irq_line(&m, 1, 0, 40, 1); get_at(&m, G_LVL, 32, &v); out("level SPI 40 up: LEVEL_INFO(32) %llx ISPENDR uaccess %x guest %llx", L(v), ud(&m, 0x204), L(gr32(&m, 0, GICD + 0x204)));
	gw32(&m, 0, GICD + 0xc08, 0xaaaaaaaa); get_at(&m, G_LVL, 32, &v); out(", made edge: LEVEL_INFO %llx", L(v)); out(", set LEVEL_INFO %s", ename(set_at(&m, G_LVL, 32, 0x200))); get_at(&m, G_LVL, 32, &v); out(" get %llx", L(v));
	out(", HAS info 1 %s", ename(has_at(&m, G_LVL, 1 << 10 | 32))); out(", INTID 992 (beyond nr_irqs) %s", ename(get_at(&m, G_LVL, 992, &v))); out(" %llx", L(v));
}
static void x26(void)
{
	SV; NEED(mkS(&m)); out("MAINT_IRQ group 9: HAS %s", ename(has_at(&m, 9, 0))); out(", unknown CTRL attr %s", ename(set_at(&m, G_CTRL, 77, 0))); out(", SAVE_PENDING_TABLES %s", ename(set_at(&m, G_CTRL, 3, 0)));
	struct vm n; NEED(mk(&n, 2, 0)); NEED(gic_create(&n, 7)); out(", before INIT %s", ename(set_at(&n, G_CTRL, 3, 0)));
}
static void x27(void) /* AArch32 guest */
{
	SV; NEED(mkSf(&m, F_32)); set_mpidr(&m, 1, 0x380010203ull); out("guest MPIDR %s", gv(g(&m, 1, T_MPIDR, 0, 0))); out(", GICR_TYPER+12 %x", ur(&m, 0x03010203, 12)); out(", ICC_SRE %s", gv(g(&m, 0, T_SRE, 0, 0)));
	g(&m, 0, T_W32, IR(40), 2); g(&m, 0, T_W32, IR(40) + 4, 1); out(", IROUTER lo 2 hi 1: %llx %llx", L(g(&m, 0, T_R32, IR(40), 0)), L(g(&m, 0, T_R32, IR(40) + 4, 0)));
	out(", CPU_ON 64-bit id %s", psci(g6(&m, 0, T_HVC, 0xc4000003, 1, RAM, 0))); out(", CPU_ON32(10203) %s", psci(g6(&m, 0, T_HVC, 0x84000003, 0x10203, RAM, 0)));
}
static void x28(void) /* vGICv2 registers */
{
	SV; u64 v; NEED(mk(&m, 4, 0)); NEED(gic_v2(&m)); out("CREATE_VCPU id 8 %s", ename(vcpu_raw(&m, 8))); out(", GICD TYPER %llx IIDR %llx", L(gr32(&m, 0, GICD + 4)), L(gr32(&m, 0, GICD + 8)));
	get_at(&m, G_CPU, 0xfc, &v); out(", CPU_REGS IIDR %llx", L(v)); gw32(&m, 0, GICC + 4, 0xf0); get_at(&m, G_CPU, 4, &v); out(", PMR f0 -> userspace %llx", L(v));
	out(", unknown vCPU %s", ename(get_at(&m, G_CPU, AT(9, 0), &v))); out(", ITARGETSR0 %llx ITARGETSR40 %llx", L(gr32(&m, 1, GICD + 0x800)), L(gr32(&m, 0, GICD + 0x828)));
	g(&m, 0, O_W8, GICD + 0x828, 0xff); out(", 0xff -> %llx", L(g(&m, 0, O_R8, GICD + 0x828, 0))); out(", IGROUPR1 %llx", L(gr32(&m, 0, GICD + 0x84)));
	struct vm n; NEED(mk(&n, 1, 0)); NEED(gic_create(&n, 5)); out(", run with no bases %s", ename(run_raw(&n, 0)));
}
static void x29(void) /* a pending, unqueued SPI: what queues it */
{
	SV; NEED(stuck(&m)); gw32(&m, 0, IR(40), 1); spi_pend(&m, 40); out("ISPENDR rewrite: "); who(takers(&m, 40)); NEED(stuck(&m)); gw32(&m, 0, IR(40), 1); gw32(&m, 0, GICD + 0x84, ~0u); out("; IGROUPR rewrite: "); who(takers(&m, 40));
	NEED(stuck(&m)); gw32(&m, 0, IR(40), 1); gw32(&m, 0, GICD + 0x184, 0x100); gw32(&m, 0, GICD + 0x104, 0x100); out("; disable+enable: "); who(takers(&m, 40));
	NEED(stuck(&m)); NEED(set_at(&m, G_DIST, IROUTER(40), 1)); out("; uaccess IROUTER: "); who(takers(&m, 40)); NEED(set_at(&m, G_DIST, 0x104, 0x100)); out("; then uaccess ISENABLER: "); who(takers(&m, 40));
}
static void x30(void) /* guest ICC_CTLR_EL1 = hardware value */
{
	SV; NEED(mkS(&m)); out("guest %s userspace %llx", gv(g(&m, 0, MRS_CTLR, 0, 0)), L(us(&m, 0, I_CTLR))); int e = set_at(&m, G_SYS, I_CTLR, (host.ctlr & ~0x700) | 0x300);
	out(", after userspace lowered PRIbits (%s): guest %s", ename(e), gv(g(&m, 0, MRS_CTLR, 0, 0))); out(" userspace %llx", L(us(&m, 0, I_CTLR)));
	g(&m, 0, MSR_CTLR, 3, 0); out(", guest write 3: guest %s", gv(g(&m, 0, MRS_CTLR, 0, 0))); out(" userspace %llx", L(us(&m, 0, I_CTLR))); out(", ICC_SRE %s", gv(g(&m, 0, MRS_SRE, 0, 0)));
}
static void x31(void) /* Aff3 in CPU_ON; MPIDR Aff3 in a VM without a GIC */
{
	SV; NEED(offvm(&m, 2)); set_mpidr(&m, 1, 0x180000001ull); out("CPU_ON(1.0.0.1) %s", psci(hvc(&m, 0, 0xc4000003, 0x100000001ull, RAM, 0))); out(", it reads MPIDR %s", gv(g(&m, 1, O_MPIDR, 0, 0)));
	NEED(mk(&m, 2, 0)); out(", no GIC: SET %s", ename(set_mpidr(&m, 1, 0x180000001ull))); out(" GET %llx", L(mpidr(&m, 1)));
}
#define PROBES \
	{ "X01", V3, x01 }, { "X02", V3, x02 }, { "X03", V3, x03 }, { "X04", V3, x04 }, { "X05", V3, x05 }, { "X06", V3, x06 }, { "X07", V3, x07 }, \
	{ "X08", V3, x08 }, { "X09", V3, x09 }, { "X10", V3, x10 }, { "X11", V3, x11 }, { "X12", V3, x12 }, { "X13", V3, x13 }, { "X14", V3, x14 }, \
	{ "X15", V3, x15 }, { "X16", V3, x16 }, { "X17", V3, x17 }, { "X18", V3, x18 }, { "X19", V3, x19 }, { "X20", V3, x20 }, { "X21", V3, x21 }, \
	{ "X22", V3, x22 }, { "X23", V3, x23 }, { "X24", V3, x24 }, { "X25", V3, x25 }, { "X26", V3, x26 }, { "X27", V3, x27 }, { "X28", V2, x28 }, \
	{ "X29", V3, x29 }, { "X30", V3, x30 }, { "X31", V3, x31 },
