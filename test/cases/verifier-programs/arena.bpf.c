/* Arena: casts between address spaces, arithmetic, atomics, pages. */
#include "programs.h"

#define __arena __attribute__((address_space(1)))

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16);
	__ulong(map_extra, 0x1ull << 44);
} arena SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, u64);
	__uint(max_entries, 1);
} addresses SEC(".maps");

extern void __arena *bpf_arena_alloc_pages(void *map, void __arena *address, u32 count, int node,
					   u64 flags) __ksym;
extern void bpf_arena_free_pages(void *map, void __arena *address, u32 count) __ksym;

struct node {
	struct node __arena *next;
	u64 value;
};

static u64 stored_address(void)
{
	u32 key = 0;
	u64 *address = bpf_map_lookup_elem(&addresses, &key);

	return address ? *address : 0;
}

/* The program's maps are those that it names: without this it has no arena. */
static void use_arena(void)
{
	asm volatile("r1 = %[arena] ll" : : [arena] "i"(&arena) : "r1");
}

static u64 to_kernel(u64 address)
{
	asm volatile("%0 = addr_space_cast(%0, 0x0, 0x1)" : "+r"(address));
	return address;
}

static u64 to_user(u64 address)
{
	asm volatile("%0 = addr_space_cast(%0, 0x1, 0x0)" : "+r"(address));
	return address;
}

SEC("tc")
int read_and_write(struct __sk_buff *skb)
{
	struct node *node;

	use_arena();
	node = (void *)to_kernel(stored_address());
	node->value += skb->len;
	return node->value & 1;
}

SEC("tc")
int any_arithmetic(struct __sk_buff *skb)
{
	u64 address;

	use_arena();
	address = to_kernel(stored_address());
	address *= 3;
	address &= 0xfffff;
	address ^= skb->len;
	return *(volatile u8 *)address;
}

SEC("tc")
int added_to_number(struct __sk_buff *skb)
{
	u64 address = skb->len;

	use_arena();
	address -= to_kernel(stored_address());
	return *(volatile u8 *)address;
}

SEC("tc")
int back_to_user(struct __sk_buff *skb)
{
	use_arena();
	return to_user(to_kernel(stored_address())) & 1;
}

SEC("tc")
int chain(struct __sk_buff *skb)
{
	struct node *node;
	u64 sum = 0;
	int i;

	use_arena();
	node = (void *)to_kernel(stored_address());
	for (i = 0; i < 100 && node; i++) {
		sum += node->value;
		node = (void *)to_kernel((u64)node->next);
	}
	return sum & 1;
}

SEC("tc")
int add_atomically(struct __sk_buff *skb)
{
	use_arena();
	__sync_fetch_and_add((u64 *)to_kernel(stored_address()), 1);
	return 0;
}

SEC("tc")
int refused_fetch_and_or(struct __sk_buff *skb)
{
	use_arena();
	return __sync_fetch_and_or((u64 *)to_kernel(stored_address()), 1) & 1;
}

SEC("tc")
int spilled(struct __sk_buff *skb)
{
	u64 address, time;

	use_arena();
	address = to_kernel(stored_address());
	*(volatile u64 *)&time = address;
	bpf_ktime_get_ns();
	return *(volatile u8 *)*(volatile u64 *)&time;
}

SEC("tc")
int refused_without_arena(struct __sk_buff *skb)
{
	return *(volatile u8 *)to_kernel(skb->len);
}

SEC("tc")
int refused_helper_argument(struct __sk_buff *skb)
{
	use_arena();
	bpf_skb_load_bytes(skb, 0, (void *)to_kernel(stored_address()), 4);
	return 0;
}

SEC("tc")
int refused_pages_where_none_sleeps(struct __sk_buff *skb)
{
	return bpf_arena_alloc_pages(&arena, 0, 1, -1, 0) ? 1 : 0;
}

SEC("syscall")
int pages(void *ctx)
{
	void __arena *page = bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);

	if (!page)
		return 1;
	bpf_arena_free_pages(&arena, page, 1);
	return 0;
}

__attribute__((noinline)) int of_arena(void *p __attribute__((btf_decl_tag("arg:arena"))))
{
	return *(volatile u8 *)p;
}

__attribute__((noinline)) int of_number(void *p __attribute__((btf_decl_tag("arg:arena"))))
{
	return *(volatile u8 *)to_kernel((u64)p);
}

SEC("tc")
int refused_without_cast(struct __sk_buff *skb)
{
	use_arena();
	return of_arena((void *)to_kernel(stored_address()));
}

SEC("tc")
int cast_in_function(struct __sk_buff *skb)
{
	use_arena();
	return of_number((void *)to_kernel(stored_address())) + of_number((void *)1);
}

SEC("tc")
int refused_stack_as_arena(struct __sk_buff *skb)
{
	u64 value = 0;

	use_arena();
	return of_arena(&value);
}

SEC("tc")
int signed_load(struct __sk_buff *skb)
{
	u64 address;
	long value;

	use_arena();
	address = to_kernel(stored_address());
	asm volatile("%0 = *(s8 *)(%1 + 0)" : "=r"(value) : "r"(address));
	return value & 1;
}

char LICENSE[] SEC("license") = "GPL";
