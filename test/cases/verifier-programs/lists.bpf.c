/* Lists of the program's own objects: who owns a node, and the lock that must be held. */
#include "programs.h"

struct item {
	struct bpf_list_node link;
	u64 value;
};

struct twin {
	struct bpf_list_node left;
	u64 value;
	struct bpf_list_node right;
};

struct holder {
	struct bpf_spin_lock lock;
	struct bpf_list_head head __contains(item, link);
	u64 count;
};

private(A) struct bpf_spin_lock lock_a;
private(A) struct bpf_list_head head_a __contains(item, link);
private(B) struct bpf_spin_lock lock_b;
private(B) struct bpf_list_head head_b __contains(twin, right);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct holder);
	__uint(max_entries, 4);
} holders SEC(".maps");

SEC("tc")
int push_and_pop(struct __sk_buff *skb)
{
	struct item *item = new_object(struct item);
	struct bpf_list_node *node;

	if (!item)
		return 0;
	item->value = skb->len;
	bpf_spin_lock(&lock_a);
	bpf_list_push_front_impl(&head_a, &item->link, 0, 0);
	node = bpf_list_pop_back(&head_a);
	bpf_spin_unlock(&lock_a);
	if (!node)
		return 1;
	item = container_of(node, struct item, link);
	skb->mark = item->value;
	drop_object(item);
	return 0;
}

SEC("tc")
int push_second_node(struct __sk_buff *skb)
{
	struct twin *twin = new_object(struct twin);

	if (!twin)
		return 0;
	bpf_spin_lock(&lock_b);
	bpf_list_push_back_impl(&head_b, &twin->right, 0, 0);
	bpf_spin_unlock(&lock_b);
	return 0;
}

SEC("tc")
int in_map_value(struct __sk_buff *skb)
{
	u32 key = skb->ifindex & 3;
	struct holder *holder = bpf_map_lookup_elem(&holders, &key);
	struct item *item;

	if (!holder)
		return 0;
	item = new_object(struct item);
	if (!item)
		return 0;
	bpf_spin_lock(&holder->lock);
	holder->count++;
	bpf_list_push_back_impl(&holder->head, &item->link, 0, 0);
	item->value = holder->count;
	bpf_spin_unlock(&holder->lock);
	return 0;
}

SEC("tc")
int peek(struct __sk_buff *skb)
{
	struct bpf_list_node *node;
	u64 value = 0;

	bpf_spin_lock(&lock_a);
	node = bpf_list_front(&head_a);
	if (node)
		value = container_of(node, struct item, link)->value;
	bpf_spin_unlock(&lock_a);
	return value & 1;
}

SEC("tc")
int refused_peek_behind_lock(struct __sk_buff *skb)
{
	struct bpf_list_node *node;

	bpf_spin_lock(&lock_a);
	node = bpf_list_back(&head_a);
	bpf_spin_unlock(&lock_a);
	if (!node)
		return 0;
	return container_of(node, struct item, link)->value;
}

SEC("tc")
int refused_leak(struct __sk_buff *skb)
{
	struct item *item = new_object(struct item);

	return item ? 1 : 0;
}

SEC("tc")
int refused_without_lock(struct __sk_buff *skb)
{
	struct item *item = new_object(struct item);

	if (!item)
		return 0;
	bpf_list_push_front_impl(&head_a, &item->link, 0, 0);
	return 0;
}

SEC("tc")
int refused_other_lock(struct __sk_buff *skb)
{
	struct item *item = new_object(struct item);

	if (!item)
		return 0;
	bpf_spin_lock(&lock_b);
	bpf_list_push_front_impl(&head_a, &item->link, 0, 0);
	bpf_spin_unlock(&lock_b);
	return 0;
}

SEC("tc")
int refused_wrong_type(struct __sk_buff *skb)
{
	struct twin *twin = new_object(struct twin);

	if (!twin)
		return 0;
	bpf_spin_lock(&lock_a);
	bpf_list_push_front_impl(&head_a, &twin->left, 0, 0);
	bpf_spin_unlock(&lock_a);
	return 0;
}

SEC("tc")
int refused_wrong_node(struct __sk_buff *skb)
{
	struct twin *twin = new_object(struct twin);

	if (!twin)
		return 0;
	bpf_spin_lock(&lock_b);
	bpf_list_push_front_impl(&head_b, &twin->left, 0, 0);
	bpf_spin_unlock(&lock_b);
	return 0;
}

SEC("tc")
int refused_push_twice(struct __sk_buff *skb)
{
	struct item *item = new_object(struct item);

	if (!item)
		return 0;
	bpf_spin_lock(&lock_a);
	bpf_list_push_front_impl(&head_a, &item->link, 0, 0);
	bpf_list_push_front_impl(&head_a, &item->link, 0, 0);
	bpf_spin_unlock(&lock_a);
	return 0;
}

SEC("tc")
int refused_drop_of_node(struct __sk_buff *skb)
{
	struct bpf_list_node *node;

	bpf_spin_lock(&lock_b);
	node = bpf_list_pop_front(&head_b);
	bpf_spin_unlock(&lock_b);
	if (node)
		drop_object(node);
	return 0;
}

SEC("tc")
int refused_write_into_node(struct __sk_buff *skb)
{
	struct item *item = new_object(struct item);

	if (!item)
		return 0;
	*(u64 *)&item->link = 1;
	drop_object(item);
	return 0;
}

SEC("tc")
int refused_call_with_lock(struct __sk_buff *skb)
{
	struct item *item;

	bpf_spin_lock(&lock_a);
	item = new_object(struct item);
	bpf_spin_unlock(&lock_a);
	if (item)
		drop_object(item);
	return 0;
}

SEC("tc")
int refused_unlock_of_other_value(struct __sk_buff *skb)
{
	u32 key = 0;
	struct holder *a, *b;

	a = bpf_map_lookup_elem(&holders, &key);
	key = 1;
	b = bpf_map_lookup_elem(&holders, &key);
	if (!a || !b)
		return 0;
	bpf_spin_lock(&a->lock);
	bpf_spin_unlock(&b->lock);
	return 0;
}

SEC("raw_tp")
int refused_in_tracing(void *ctx)
{
	bpf_spin_lock(&lock_a);
	bpf_spin_unlock(&lock_a);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
