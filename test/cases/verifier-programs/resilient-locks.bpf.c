/* Locks that may fail, and interrupt flags: orders, kinds, and what a failed lock leaves. */
#include "programs.h"

struct value {
	u64 count;
	struct bpf_res_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, u32);
	__type(value, struct value);
	__uint(max_entries, 2);
} values SEC(".maps");

private(A) struct bpf_res_spin_lock lock_a;
private(B) struct bpf_res_spin_lock lock_b;

SEC("tc")
int take_and_give(struct __sk_buff *skb)
{
	u32 key = 0;
	struct value *value = bpf_map_lookup_elem(&values, &key);

	if (!value)
		return 0;
	if (bpf_res_spin_lock(&value->lock))
		return 1;
	value->count++;
	bpf_res_spin_unlock(&value->lock);
	return 0;
}

SEC("tc")
int two_in_order(struct __sk_buff *skb)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	if (!bpf_res_spin_lock(&lock_b))
		bpf_res_spin_unlock(&lock_b);
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

SEC("tc")
int with_interrupts(struct __sk_buff *skb)
{
	unsigned long flags;
	int error = bpf_res_spin_lock_irqsave(&lock_a, &flags);

	if (error)
		return error == -35;
	bpf_res_spin_unlock_irqrestore(&lock_a, &flags);
	return 0;
}

SEC("tc")
int nested_flags(struct __sk_buff *skb)
{
	unsigned long outer, inner;

	bpf_local_irq_save(&outer);
	bpf_local_irq_save(&inner);
	bpf_local_irq_restore(&inner);
	bpf_local_irq_restore(&outer);
	return 0;
}

SEC("tc")
int refused_out_of_order(struct __sk_buff *skb)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	if (bpf_res_spin_lock(&lock_b)) {
		bpf_res_spin_unlock(&lock_a);
		return 1;
	}
	bpf_res_spin_unlock(&lock_a);
	bpf_res_spin_unlock(&lock_b);
	return 0;
}

SEC("tc")
int refused_same_again(struct __sk_buff *skb)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	if (!bpf_res_spin_lock(&lock_a))
		bpf_res_spin_unlock(&lock_a);
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

SEC("tc")
int refused_unlock_on_failure(struct __sk_buff *skb)
{
	bpf_res_spin_lock(&lock_a);
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

SEC("tc")
int refused_exit_with_lock(struct __sk_buff *skb)
{
	return bpf_res_spin_lock(&lock_a);
}

SEC("tc")
int refused_other_kind_of_unlock(struct __sk_buff *skb)
{
	unsigned long flags;

	if (bpf_res_spin_lock_irqsave(&lock_a, &flags))
		return 1;
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

SEC("tc")
int refused_other_kind_of_restore(struct __sk_buff *skb)
{
	unsigned long flags;

	if (bpf_res_spin_lock_irqsave(&lock_a, &flags))
		return 1;
	bpf_local_irq_restore(&flags);
	return 0;
}

SEC("tc")
int refused_restore_out_of_order(struct __sk_buff *skb)
{
	unsigned long outer, inner;

	bpf_local_irq_save(&outer);
	bpf_local_irq_save(&inner);
	bpf_local_irq_restore(&outer);
	bpf_local_irq_restore(&inner);
	return 0;
}

SEC("tc")
int refused_helper_with_lock(struct __sk_buff *skb)
{
	if (bpf_res_spin_lock(&lock_a))
		return 1;
	bpf_ktime_get_ns();
	bpf_res_spin_unlock(&lock_a);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
