/* Filters read the value that other maps write. */
#include "programs.h"

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__type(value, u64);
	__uint(max_entries, 4);
} filter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__type(value, u64);
	__uint(max_entries, 4);
} queue SEC(".maps");

#define peek_in(name, map)                                     \
	SEC("tc") int name(struct __sk_buff *skb)              \
	{                                                      \
		u64 value = 5;                                 \
		bpf_map_peek_elem(&map, &value);               \
		if (value != 5)                                \
			return *(volatile int *)8;             \
		return 0;                                      \
	}

#define peek_outside(name, map)                                               \
	SEC("tc") int name(struct __sk_buff *skb)                             \
	{                                                                     \
		u64 value = 0;                                                \
		asm volatile("r1 = %[m] ll; r2 = r10; call %[peek]; r0 = 0;"  \
			     :                                                \
			     : [m] "i"(&map), [peek] "i"(89)                  \
			     : "r0", "r1", "r2", "r3", "r4", "r5", "memory"); \
		return 0;                                                     \
	}

peek_in(keeps, filter)
peek_in(refused_changed, queue)
peek_outside(refused_read, filter)
peek_outside(refused_write, queue)

char LICENSE[] SEC("license") = "GPL";
