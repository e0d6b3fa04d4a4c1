#!/bin/sh
# Asks a real KVM: ./record.sh KERNEL [GIC-VERSION [CASE-PREFIX]]. Needs gcc-aarch64-linux-gnu, cpio, qemu-system-aarch64.
set -eu
kernel=$1 gic=${2:-3} prefix=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/dev" "$work/root/sys" "$work/root/proc"
aarch64-linux-gnu-gcc -O1 -static -pthread "$here/cases.c" -o "$work/root/init"
(cd "$work/root" && find . | cpio --quiet -o -H newc) > "$work/oracle.cpio"
qemu-system-aarch64 -M "virt,virtualization=on,gic-version=$gic" -cpu cortex-a57 -m 1G -smp 2 -net none -nographic \
  -no-reboot -kernel "$kernel" -initrd "$work/oracle.cpio" -append "console=ttyAMA0 quiet $prefix" |
  tr -d '\r' | grep -E '^(#|[CX][0-9]+	)' 
