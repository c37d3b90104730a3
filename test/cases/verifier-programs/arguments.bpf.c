/* Arguments of global functions: what tags and types promise, and what callers must pass. */
#include "programs.h"

#define tag(name) __attribute__((btf_decl_tag("arg:" #name)))
#define __noinline __attribute__((noinline))

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

struct pair {
	u64 a, b;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct pair);
	__uint(max_entries, 2);
} values SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;

__noinline int of_context(struct __sk_buff *skb)
{
	return skb->len;
}

__noinline int of_tagged_context(void *ctx tag(ctx))
{
	return ((struct __sk_buff *)ctx)->len;
}

__noinline int of_wrong_context(struct xdp_md *ctx tag(ctx))
{
	return 0;
}

__noinline int of_pair(struct pair *pair)
{
	return pair ? pair->b : 0;
}

__noinline int of_pair_unchecked(struct pair *pair)
{
	return pair->b;
}

__noinline int of_present(struct pair *pair tag(nonnull))
{
	return pair->a;
}

__noinline int of_trusted(struct task_struct *task tag(trusted))
{
	return task->pid;
}

__noinline int of_maybe_trusted(struct task_struct *task tag(trusted) tag(nullable))
{
	return task ? task->pid : 0;
}

__noinline int of_untrusted(struct task_struct *task tag(untrusted))
{
	return task->pid;
}

__noinline int of_untrusted_bytes(char *bytes tag(untrusted))
{
	return bytes[100];
}

__noinline int of_dynptr(struct bpf_dynptr *dynptr)
{
	u64 value = 0;

	bpf_dynptr_read(&value, sizeof(value), dynptr, 0, 0);
	return value;
}

__noinline int of_nullable_memory(struct pair *pair tag(nullable))
{
	return 0;
}

__noinline int of_unknown_tag(struct pair *pair tag(strange))
{
	return 0;
}

__noinline int of_tagged_number(int value tag(nonnull))
{
	return value;
}

static __noinline int static_with_tag(struct pair *pair tag(nonnull))
{
	asm volatile("");
	return pair->a;
}

SEC("tc")
int contexts(struct __sk_buff *skb)
{
	return of_context(skb) + of_tagged_context(skb);
}

SEC("tc")
int refused_wrong_context(struct __sk_buff *skb)
{
	return of_wrong_context((void *)skb);
}

SEC("tc")
int refused_no_context(struct __sk_buff *skb)
{
	struct pair pair = {};

	return of_context((void *)&pair);
}

SEC("tc")
int pairs(struct __sk_buff *skb)
{
	struct pair pair = {};

	return of_pair(&pair) + of_pair(0) + of_present(&pair);
}

SEC("tc")
int refused_unchecked(struct __sk_buff *skb)
{
	struct pair pair = {};

	return of_pair_unchecked(&pair);
}

SEC("tc")
int refused_too_small(struct __sk_buff *skb)
{
	u64 value = 0;

	return of_present((void *)&value);
}

SEC("tc")
int refused_null(struct __sk_buff *skb)
{
	u32 key = skb->len;

	return of_present(bpf_map_lookup_elem(&values, &key));
}

SEC("syscall")
int trusted(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);
	int result;

	if (!task)
		return 0;
	result = of_trusted(task) + of_maybe_trusted(task) + of_maybe_trusted(0);
	bpf_task_release(task);
	return result;
}

SEC("syscall")
int refused_null_as_trusted(void *ctx)
{
	return of_trusted(0);
}

SEC("syscall")
int refused_unacquired(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);
	int result = of_trusted(task);

	if (task)
		bpf_task_release(task);
	return result;
}

SEC("syscall")
int untrusted(void *ctx)
{
	return of_untrusted(ctx) + of_untrusted_bytes((void *)7);
}

SEC("tc")
int dynptrs(struct __sk_buff *skb)
{
	struct bpf_dynptr dynptr;
	int value = 0;

	if (!bpf_ringbuf_reserve_dynptr(&ring, 8, 0, &dynptr))
		value = of_dynptr(&dynptr);
	bpf_ringbuf_submit_dynptr(&dynptr, 0);
	return value;
}

SEC("tc")
int refused_uninitialized_dynptr(struct __sk_buff *skb)
{
	struct bpf_dynptr dynptr;

	return of_dynptr(&dynptr);
}

SEC("tc")
int refused_nullable_memory(struct __sk_buff *skb)
{
	return of_nullable_memory(0);
}

SEC("tc")
int refused_unknown_tag(struct __sk_buff *skb)
{
	return of_unknown_tag(0);
}

SEC("tc")
int refused_tagged_number(struct __sk_buff *skb)
{
	return of_tagged_number(skb->len);
}

SEC("tc")
int tag_of_static_function(struct __sk_buff *skb)
{
	struct pair pair = {};

	return static_with_tag(&pair);
}

char LICENSE[] SEC("license") = "GPL";
