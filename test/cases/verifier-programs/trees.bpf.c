/* Trees: comparisons as callbacks, borrowed and counted nodes, kept objects. */
#include "programs.h"

struct entry {
	u64 key;
	struct bpf_rb_node node;
};

struct shared {
	u64 key;
	struct bpf_rb_node node;
	struct bpf_refcount count;
	struct bpf_list_node link;
};

struct slot {
	struct entry __attribute__((btf_type_tag("kptr"))) *kept;
	u64 uses;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct slot);
	__uint(max_entries, 2);
} slots SEC(".maps");

private(A) struct bpf_spin_lock lock;
private(A) struct bpf_rb_root root __contains(entry, node);
private(B) struct bpf_spin_lock lock_s;
private(B) struct bpf_rb_root root_s __contains(shared, node);
private(B) struct bpf_list_head list_s __contains(shared, link);

static _Bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct entry, node)->key < container_of(b, struct entry, node)->key;
}

static _Bool less_shared(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct shared, node)->key <
	       container_of(b, struct shared, node)->key;
}

static _Bool less_that_looks(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	bpf_rbtree_first(&root);
	return 0;
}

static _Bool less_that_removes(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	bpf_rbtree_remove(&root, a);
	return 0;
}

static _Bool less_that_unlocks(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	bpf_spin_unlock(&lock);
	return 0;
}

SEC("tc")
int add_and_take_first(struct __sk_buff *skb)
{
	struct entry *entry = new_object(struct entry);
	struct bpf_rb_node *node;

	if (!entry)
		return 0;
	entry->key = skb->hash;
	bpf_spin_lock(&lock);
	bpf_rbtree_add_impl(&root, &entry->node, less, 0, 0);
	node = bpf_rbtree_first(&root);
	if (!node) {
		bpf_spin_unlock(&lock);
		return 1;
	}
	node = bpf_rbtree_remove(&root, node);
	bpf_spin_unlock(&lock);
	if (!node)
		return 1;
	drop_object(container_of(node, struct entry, node));
	return 0;
}

SEC("tc")
int walk_down(struct __sk_buff *skb)
{
	struct bpf_rb_node *node;
	int depth = 0;

	bpf_spin_lock(&lock);
	node = bpf_rbtree_root(&root);
	if (node) {
		if (container_of(node, struct entry, node)->key > skb->len)
			node = bpf_rbtree_left(&root, node);
		else
			node = bpf_rbtree_right(&root, node);
		if (node)
			depth = container_of(node, struct entry, node)->key & 7;
	}
	bpf_spin_unlock(&lock);
	return depth;
}

SEC("tc")
int in_tree_and_list(struct __sk_buff *skb)
{
	struct shared *one = new_object(struct shared), *other;
	struct bpf_list_node *link;

	if (!one)
		return 0;
	other = bpf_refcount_acquire_impl(one, 0);
	one->key = skb->len;
	bpf_spin_lock(&lock_s);
	bpf_rbtree_add_impl(&root_s, &one->node, less_shared, 0, 0);
	bpf_list_push_back_impl(&list_s, &other->link, 0, 0);
	link = bpf_list_pop_front(&list_s);
	bpf_spin_unlock(&lock_s);
	if (link)
		drop_object(container_of(link, struct shared, link));
	return 0;
}

SEC("tc")
int count_borrowed(struct __sk_buff *skb)
{
	struct bpf_rb_node *node;
	struct shared *taken = 0;

	bpf_spin_lock(&lock_s);
	node = bpf_rbtree_first(&root_s);
	if (node)
		taken = bpf_refcount_acquire_impl(container_of(node, struct shared, node), 0);
	bpf_spin_unlock(&lock_s);
	if (!taken)
		return 0;
	skb->mark = taken->key;
	drop_object(taken);
	return 1;
}

SEC("tc")
int keep_in_map(struct __sk_buff *skb)
{
	u32 key = 0;
	struct slot *slot = bpf_map_lookup_elem(&slots, &key);
	struct entry *entry, *old;

	if (!slot)
		return 0;
	entry = new_object(struct entry);
	if (!entry)
		return 0;
	entry->key = slot->uses++;
	old = bpf_kptr_xchg(&slot->kept, entry);
	if (old)
		drop_object(old);
	return 0;
}

SEC("tc")
int refused_exchange_with_lock(struct __sk_buff *skb)
{
	u32 key = 0;
	struct slot *slot = bpf_map_lookup_elem(&slots, &key);
	struct entry *entry;

	if (!slot)
		return 0;
	bpf_spin_lock(&lock);
	entry = bpf_kptr_xchg(&slot->kept, 0);
	bpf_spin_unlock(&lock);
	if (entry)
		drop_object(entry);
	return 0;
}

SEC("tc")
int refused_keep_without_drop(struct __sk_buff *skb)
{
	u32 key = 0;
	struct slot *slot = bpf_map_lookup_elem(&slots, &key);
	struct entry *old;

	if (!slot)
		return 0;
	old = bpf_kptr_xchg(&slot->kept, 0);
	return old ? old->key : 0;
}

SEC("tc")
int refused_remove_owned(struct __sk_buff *skb)
{
	struct entry *entry = new_object(struct entry);
	struct bpf_rb_node *node;

	if (!entry)
		return 0;
	bpf_spin_lock(&lock);
	node = bpf_rbtree_first(&root);
	if (node)
		node = bpf_rbtree_remove(&root, node);
	bpf_spin_unlock(&lock);
	drop_object(entry);
	return node ? 1 : 0;
}

SEC("tc")
int refused_use_after_add(struct __sk_buff *skb)
{
	struct entry *entry = new_object(struct entry);

	if (!entry)
		return 0;
	bpf_spin_lock(&lock);
	bpf_rbtree_add_impl(&root, &entry->node, less, 0, 0);
	bpf_spin_unlock(&lock);
	return entry->key;
}

SEC("tc")
int refused_count_of_uncounted(struct __sk_buff *skb)
{
	struct entry *entry = new_object(struct entry), *other;

	if (!entry)
		return 0;
	other = bpf_refcount_acquire_impl(entry, 0);
	drop_object(entry);
	if (other)
		drop_object(other);
	return 0;
}

SEC("tc")
int tree_function_in_comparison(struct __sk_buff *skb)
{
	struct entry *entry = new_object(struct entry);

	if (!entry)
		return 0;
	bpf_spin_lock(&lock);
	bpf_rbtree_add_impl(&root, &entry->node, less_that_looks, 0, 0);
	bpf_spin_unlock(&lock);
	return 0;
}

SEC("tc")
int refused_remove_in_comparison(struct __sk_buff *skb)
{
	struct entry *entry = new_object(struct entry);

	if (!entry)
		return 0;
	bpf_spin_lock(&lock);
	bpf_rbtree_add_impl(&root, &entry->node, less_that_removes, 0, 0);
	bpf_spin_unlock(&lock);
	return 0;
}

SEC("tc")
int refused_unlock_in_comparison(struct __sk_buff *skb)
{
	struct entry *entry = new_object(struct entry);

	if (!entry)
		return 0;
	bpf_spin_lock(&lock);
	bpf_rbtree_add_impl(&root, &entry->node, less_that_unlocks, 0, 0);
	bpf_spin_unlock(&lock);
	return 0;
}

SEC("tc")
int refused_left_behind_lock(struct __sk_buff *skb)
{
	struct bpf_rb_node *node;

	bpf_spin_lock(&lock);
	node = bpf_rbtree_first(&root);
	bpf_spin_unlock(&lock);
	if (!node)
		return 0;
	bpf_spin_lock(&lock);
	node = bpf_rbtree_left(&root, node);
	bpf_spin_unlock(&lock);
	return node ? 1 : 0;
}

char LICENSE[] SEC("license") = "GPL";
