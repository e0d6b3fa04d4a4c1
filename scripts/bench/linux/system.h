/* Work for the C library, the kernel and other programs. */
#pragma once
#include "parts.h"

u64 libc_memory(u32 work), copy(u32 work), walk(u32 work);
u64 system_call(u32 work), fork_wait(u32 work), page_fault(u32 work), protect(u32 work), signals(u32 work);
u64 pipe_same_cpu(u32 work), pipe_two_cpus(u32 work);
u64 gzip(u32 work), sha256sum(u32 work), find(u32 work), shell(u32 work);
u64 openssl_sha512(u32 work), openssl_aes(u32 work), openssl_chacha(u32 work);
