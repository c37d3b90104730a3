#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct value { __u64 count; } __attribute__((aligned(16)));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct value);
	__uint(max_entries, 16);
} counts SEC(".maps");

extern int LINUX_KERNEL_VERSION __kconfig;
extern void task_release(void *task) __ksym __weak;
extern int never_used;
const volatile __u32 limit = 5;
int zeroed, weak_one __attribute__((weak)) = 1;
static int hidden_state;
static int unreferenced __attribute__((unused));
__hidden int shared(void);

static __always_inline int twice(int x) { return x * 2; }
static __noinline int thrice(int x) { return x * 3 + hidden_state; }
static int dead(int x) __attribute__((unused));
static int dead(int x) { return x; }
inline int for_inlining(int x) { return x; }
extern void never(void) __attribute__((error("must fold away")));

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 key = ctx->ingress_ifindex;
	struct value *value = bpf_map_lookup_elem(&counts, &key);

	if (!value) {
		struct value fresh = { 1 };

		bpf_map_update_elem(&counts, &key, &fresh, BPF_ANY);
		return XDP_PASS;
	}
	if (sizeof(long) != 8)
		never();
	if (task_release)
		task_release(0);
	value->count += thrice(twice(LINUX_KERNEL_VERSION)) + shared() + for_inlining(limit);
	bpf_printk("count %d", value->count);
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
