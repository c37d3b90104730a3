/* Loops whose test stands in front of them or in their middle: kernels before 6.6 take a way back
 * only from a jump, also where the test is laid out behind what it decides about. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, long[8]);
} values SEC(".maps");

SEC("socket")
int test_in_front(struct __sk_buff *skb)
{
	int i, sum = 0;

	for (i = 0; i < 10; i++)
		sum += i;
	return sum;
}

SEC("socket")
int test_in_the_middle(struct __sk_buff *skb)
{
	unsigned int i = 0, left = skb->len;

	for (;;) {
		left ^= left >> 3;
		if (++i > 70)
			break;
		if (left & 1)
			left += i;
	}
	return left;
}

SEC("socket")
int two_ways_out(struct __sk_buff *skb)
{
	int key = 1, i;
	long *value = bpf_map_lookup_elem(&values, &key);

	if (!value)
		return 0;
	for (i = 1; i < 3; i++) {
		if (value[i] == 0)
			return i;
		value[i + 2] = value[i];
	}
	return 7;
}

SEC("socket")
int nested(struct __sk_buff *skb)
{
	unsigned int sum = skb->len;
	int i, j;

	for (i = 0; i < 40; i++) {
		for (j = 0; j < 30; j++) {
			if ((sum & 0xff) == 3)
				break;
			sum += i ^ j;
		}
		if ((sum & 0xff) == 7)
			continue;
		sum -= 5;
	}
	return sum;
}

SEC("socket")
int called_before_its_test(struct __sk_buff *skb)
{
	int i = 0;

	while (i < 12) {
		if (skb->mark == i)
			bpf_get_prandom_u32();
		i++;
		bpf_ktime_get_ns();
	}
	return i;
}

SEC("socket")
int entered_in_the_middle(struct __sk_buff *skb)
{
	unsigned int i = 0, sum = skb->len;

	if (sum & 1)
		goto inside;
	while (i < 9) {
		sum += 3;
inside:
		sum ^= i;
		i++;
	}
	return sum;
}
