#include <linux/bpf.h>

struct event {
	u32 pid; // error 2: unknown type name 'u32'
	char name[16];
};

u64 total; // error 1: unknown type name 'u64'
