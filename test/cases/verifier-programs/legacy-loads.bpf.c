/* Loads that end a function when they fail, and one register compared with itself. */
#include "programs.h"

unsigned long long load_byte(void *skb, unsigned long long off) asm("llvm.bpf.load.byte");

static __attribute__((noinline)) int both_ways(struct __sk_buff *skb)
{
	int value;

	asm volatile("r6 = %1; r0 = *(u8 *)skb[7]; %0 = r0"
		     : "=r"(value)
		     : "r"(skb)
		     : "r0", "r1", "r2", "r3", "r4", "r5", "r6");
	return value | 1;
}

SEC("tc")
int refused_index_of_failed_load(struct __sk_buff *skb)
{
	volatile char bytes[4] = {};

	/* 0 if the load fails: out of bounds then. */
	return bytes[both_ways(skb) == 0 ? 600 : 0];
}

SEC("tc")
int result_of_failed_load(struct __sk_buff *skb)
{
	return both_ways(skb);
}

SEC("tc")
int compared_with_itself(struct __sk_buff *skb)
{
	u32 value = skb->len & 7;

	asm volatile("if w1 s>= w1 goto +1; r0 = 0" : : "r"(value) : "r0", "r1");
	return value;
}

char LICENSE[] SEC("license") = "GPL";
