/* Each program returns 42 where its kernel functions do what they should. */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct bpf_cpumask { __u64 bits[128]; };
struct bpf_iter_bits { __u64 opaque[2]; };
struct node { __u64 link[3]; __u64 key; };

extern struct bpf_cpumask *bpf_cpumask_create(void) __ksym;
extern void bpf_cpumask_set_cpu(__u32 cpu, struct bpf_cpumask *mask) __ksym;
extern _Bool bpf_cpumask_test_and_clear_cpu(__u32 cpu, struct bpf_cpumask *mask) __ksym;
extern __u32 bpf_cpumask_first(const struct bpf_cpumask *mask) __ksym;
extern __u32 bpf_cpumask_weight(const struct bpf_cpumask *mask) __ksym;
extern _Bool bpf_cpumask_empty(const struct bpf_cpumask *mask) __ksym;

SEC("tc") int cpumask(struct __sk_buff *skb)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();

	if (!bpf_cpumask_empty(mask))
		return 1;
	bpf_cpumask_set_cpu(2, mask);
	bpf_cpumask_set_cpu(1, mask);
	bpf_cpumask_set_cpu(1000, mask);
	if (bpf_cpumask_weight(mask) != 2 || bpf_cpumask_first(mask) != 1)
		return 2;
	if (!bpf_cpumask_test_and_clear_cpu(1, mask) || bpf_cpumask_first(mask) != 2)
		return 3;
	return 42;
}

extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
extern int bpf_list_push_front_impl(void *head, void *node, void *meta, __u64 off) __ksym;
extern int bpf_list_push_back_impl(void *head, void *node, void *meta, __u64 off) __ksym;
extern void *bpf_list_pop_front(void *head) __ksym;
extern int bpf_rbtree_add_impl(void *root, void *node, _Bool (*less)(void *, const void *),
			       void *meta, __u64 off) __ksym;
extern void *bpf_rbtree_first(void *root) __ksym;
extern void *bpf_rbtree_remove(void *root, void *node) __ksym;

__u64 head[2], root[2];

static struct node *make(__u64 key)
{
	struct node *node = bpf_obj_new_impl(bpf_core_type_id_local(struct node), 0);

	node->key = key;
	return node;
}

SEC("tc") int list(struct __sk_buff *skb)
{
	struct node *node;
	__u64 seen = 0;

	bpf_list_push_back_impl(head, make(2), 0, 0);
	bpf_list_push_back_impl(head, make(3), 0, 0);
	bpf_list_push_front_impl(head, make(1), 0, 0);
	for (int i = 0; i < 4; i++) {
		node = bpf_list_pop_front(head);
		if (!node)
			break;
		seen = seen * 10 + node->key;
		bpf_obj_drop_impl(node, 0);
	}
	return seen == 123 ? 42 : seen;
}

static _Bool less(void *a, const void *b)
{
	return ((struct node *)a)->key < ((const struct node *)b)->key;
}

SEC("tc") int tree(struct __sk_buff *skb)
{
	struct node *node;
	__u64 seen = 0;

	bpf_rbtree_add_impl(root, make(5), less, 0, 0);
	bpf_rbtree_add_impl(root, make(2), less, 0, 0);
	bpf_rbtree_add_impl(root, make(9), less, 0, 0);
	bpf_rbtree_add_impl(root, make(4), less, 0, 0);
	for (int i = 0; i < 5; i++) {
		node = bpf_rbtree_first(root);
		if (!node)
			break;
		node = bpf_rbtree_remove(root, node);
		if (!node)
			return 1;
		seen = seen * 10 + node->key;
		bpf_obj_drop_impl(node, 0);
	}
	return seen == 2459 ? 42 : seen;
}

extern void *bpf_rbtree_root(void *root) __ksym;
extern void *bpf_rbtree_left(void *root, void *node) __ksym;
extern void *bpf_rbtree_right(void *root, void *node) __ksym;

__u64 walked[2];

/* From the root down, as in any ordered tree. */
SEC("tc") int descent(struct __sk_buff *skb)
{
	for (int key = 1; key < 8; key++)
		bpf_rbtree_add_impl(walked, make(key * 10), less, 0, 0);
	for (int key = 1; key < 9; key++) {
		struct node *node = bpf_rbtree_root(walked);

		for (int depth = 0; depth < 4 && node && node->key != key * 10; depth++)
			node = key * 10 < node->key ? bpf_rbtree_left(walked, node)
						    : bpf_rbtree_right(walked, node);
		if (!node != (key == 8))
			return key;
	}
	return 42;
}

struct ct_opts { int netns, error; __u8 protocol, dir, reserved[2]; };
extern void *bpf_skb_ct_lookup(struct __sk_buff *skb, void *tuple, __u32 size, struct ct_opts *opts,
			       __u32 opts_size) __ksym;
extern void *bpf_skb_ct_alloc(struct __sk_buff *skb, void *tuple, __u32 size, struct ct_opts *opts,
			      __u32 opts_size) __ksym;
extern void *bpf_ct_insert_entry(void *connection) __ksym;

SEC("tc") int connections(struct __sk_buff *skb)
{
	struct { __u32 from, to; __u16 ports[2]; } tuple = { 1, 2, { 3, 4 } };
	struct ct_opts opts = { -1, 0, 6 };

	if (bpf_skb_ct_lookup(skb, &tuple, 12, &opts, 12) || opts.error != -2)
		return 1;
	opts.protocol = 1;
	if (bpf_skb_ct_lookup(skb, &tuple, 12, &opts, 12) || opts.error != -71)
		return 2;
	opts.protocol = 6;
	void *made = bpf_skb_ct_alloc(skb, &tuple, 12, &opts, 12);
	if (!made || bpf_skb_ct_lookup(skb, &tuple, 12, &opts, 12))
		return 3;
	if (bpf_ct_insert_entry(made) != made)
		return 4;
	return bpf_skb_ct_lookup(skb, &tuple, 12, &opts, 12) == made ? 42 : 5;
}

struct task_iter { __u64 words[3]; };
extern int bpf_iter_task_new(struct task_iter *it, void *task, __u32 flags) __ksym;
extern void *bpf_iter_task_next(struct task_iter *it) __ksym;
extern void bpf_iter_task_destroy(struct task_iter *it) __ksym;

SEC("tc") int tasks(struct __sk_buff *skb)
{
	struct task_iter it;
	int count = 0;

	if (bpf_iter_task_new(&it, 0, 9) != -22)
		return 1;
	bpf_iter_task_new(&it, 0, 0);
	for (int i = 0; i < 5 && bpf_iter_task_next(&it); i++)
		count++;
	bpf_iter_task_destroy(&it);
	return count == 1 ? 42 : 2;
}

struct bpf_iter_num;
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

SEC("tc") int numbers(struct __sk_buff *skb)
{
	__u64 it;
	int sum = 0, *number;

	bpf_iter_num_new((void *)&it, -3, 10);
	while ((number = bpf_iter_num_next((void *)&it)))
		sum += *number + 1;
	if (bpf_iter_num_next((void *)&it))
		return 1;
	bpf_iter_num_destroy((void *)&it);
	if (bpf_iter_num_new((void *)&it, 5, 4) != -22 || bpf_iter_num_next((void *)&it))
		return 2;
	return sum == 52 ? 42 : sum;
}

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *p, __u32 offset, void *buffer, __u32 size) __ksym;
extern int bpf_dynptr_adjust(const struct bpf_dynptr *p, __u32 start, __u32 end) __ksym;
extern __u32 bpf_dynptr_size(const struct bpf_dynptr *p) __ksym;

SEC("tc") int dynptr(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	__u8 buffer[2], *data;

	if (bpf_dynptr_from_skb(skb, 0, &ptr) || bpf_dynptr_size(&ptr) != 20)
		return 1;
	if (bpf_dynptr_adjust(&ptr, 14, 20) || bpf_dynptr_size(&ptr) != 6)
		return 2;
	if (bpf_dynptr_adjust(&ptr, 0, 7) != -34)
		return 3;
	if (bpf_dynptr_slice(&ptr, 5, buffer, sizeof(buffer)))
		return 4;
	data = bpf_dynptr_slice(&ptr, 4, buffer, sizeof(buffer));
	return data && data[0] == 18 && data[1] == 19 ? 42 : 5;
}

extern int bpf_iter_bits_new(struct bpf_iter_bits *it, const __u64 *words, __u32 count) __ksym;
extern int *bpf_iter_bits_next(struct bpf_iter_bits *it) __ksym;
extern void bpf_iter_bits_destroy(struct bpf_iter_bits *it) __ksym;

SEC("tc") int bits(struct __sk_buff *skb)
{
	__u64 words[2] = { 1ULL << 40 | 8, 2 };
	struct bpf_iter_bits it;
	int *bit, sum = 0;

	bpf_iter_bits_new(&it, words, 2);
	while ((bit = bpf_iter_bits_next(&it)))
		sum += *bit;
	bpf_iter_bits_destroy(&it);
	return sum == 3 + 40 + 65 ? 42 : sum;
}

extern int bpf_strcmp(const char *a, const char *b) __ksym;
extern int bpf_strstr(const char *a, const char *b) __ksym;
extern int bpf_strlen(const char *a) __ksym;
extern int bpf_strrchr(const char *a, int c) __ksym;

SEC("tc") int strings(struct __sk_buff *skb)
{
	if (bpf_strlen("packet") != 6 || bpf_strstr("a packet", "pack") != 2)
		return 1;
	if (bpf_strcmp("abc", "abd") != -1 || bpf_strcmp("abc", "abc") != 0)
		return 2;
	return bpf_strrchr("a.b.c", '.') == 3 && bpf_strrchr("abc", '.') == -2 ? 42 : 3;
}

extern void bpf_throw(__u64 cookie) __ksym;

static __noinline int deep(int value)
{
	if (value == 0)
		bpf_throw(42);
	return value;
}

SEC("tc") int exception(struct __sk_buff *skb)
{
	return deep(skb->mark) + 1;
}

struct {
	__uint(type, BPF_MAP_TYPE_ARENA);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4);
} arena SEC(".maps");

extern void *bpf_arena_alloc_pages(void *map, void *at, __u32 count, int node, __u64 flags) __ksym;
extern void bpf_arena_free_pages(void *map, void *at, __u32 count) __ksym;

SEC("tc") int pages(struct __sk_buff *skb)
{
	__u64 *first = bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);
	__u64 *rest = bpf_arena_alloc_pages(&arena, 0, 3, -1, 0);

	if (!first || !rest || bpf_arena_alloc_pages(&arena, 0, 1, -1, 0))
		return 1;
	rest[1000] = 40;
	first[1] = 2;
	if (rest[1000] + first[1] + rest[0] != 42)
		return 2;
	bpf_arena_free_pages(&arena, first, 1);
	return bpf_arena_alloc_pages(&arena, 0, 2, -1, 0) ? 3 : 42;
}

char LICENSE[] SEC("license") = "GPL";
