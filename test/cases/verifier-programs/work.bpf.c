/* Work items: callbacks that run later and may sleep, in maps that know them. */
#include "programs.h"

struct value {
	u64 count;
	struct bpf_wq work;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, u32);
	__type(value, struct value);
	__uint(max_entries, 4);
} values SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct value);
	__uint(max_entries, 4);
} others SEC(".maps");

static int later(void *map, int *key, void *value)
{
	struct value *own = value;
	char text[8];

	bpf_copy_from_user(text, sizeof(text), (void *)own->count);
	own->count += *key;
	return 0;
}

static int later_with_result(void *map, int *key, void *value)
{
	return 1;
}

static int later_past_end(void *map, int *key, void *value)
{
	return *(volatile u64 *)((struct value *)value + 1) ? 0 : 0;
}

#define start(map, callback)                                   \
	u32 key = 0;                                           \
	struct value *value = bpf_map_lookup_elem(&map, &key); \
	if (!value)                                            \
		return 0;                                      \
	if (bpf_wq_init(&value->work, &map, 0))                \
		return 0;                                      \
	bpf_wq_set_callback_impl(&value->work, callback, 0, 0); \
	bpf_wq_start(&value->work, 0);                         \
	return 0;

SEC("tc")
int start_hash(struct __sk_buff *skb)
{
	start(values, later)
}

SEC("syscall")
int start_array(void *ctx)
{
	start(others, later)
}

SEC("tc")
int refused_result(struct __sk_buff *skb)
{
	start(values, later_with_result)
}

SEC("tc")
int refused_past_end(struct __sk_buff *skb)
{
	start(values, later_past_end)
}

SEC("tc")
int refused_other_map(struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&values, &key);

	return value ? bpf_wq_init(&value->work, &others, 0) : 0;
}

SEC("tc")
int refused_wrong_place(struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&values, &key);

	return value ? bpf_wq_init((struct bpf_wq *)&value->count, &values, 0) : 0;
}

SEC("tc")
int refused_on_stack(struct __sk_buff *skb)
{
	struct bpf_wq work = {};

	return bpf_wq_start(&work, 0);
}

SEC("tc")
int refused_maybe_null(struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&values, &key);

	return bpf_wq_start((struct bpf_wq *)value, 0);
}

SEC("raw_tp")
int refused_in_tracing(void *ctx)
{
	start(values, later)
}

char LICENSE[] SEC("license") = "GPL";
