/* Which maps may have locks, timers and work items in their values, and maps refused with their types. */
#include "programs.h"

struct locked {
	struct bpf_spin_lock lock;
	u32 count;
};

struct timed {
	struct bpf_timer timer;
	u64 count;
};

struct both {
	struct bpf_timer timer;
	struct bpf_spin_lock lock;
	u32 count;
};

struct working {
	struct bpf_wq work;
	u64 count;
};

struct wide_key {
	u32 number;
};

#define map(name, kind, key_type, value_type, flag_bits) \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_##kind);        \
		__type(key, key_type);                    \
		__type(value, value_type);                \
		__uint(max_entries, 4);                   \
		__uint(map_flags, flag_bits);             \
	} name SEC(".maps");

static int expired(void *map, int *key, void *value)
{
	return 0;
}

#define lock_in(name, kind, key_type, value_type, flags)                    \
	map(map_##name, kind, key_type, value_type, flags) SEC("tc")        \
	int name(struct __sk_buff *skb)                                      \
	{                                                                    \
		u32 key = 0;                                                 \
		value_type *value = bpf_map_lookup_elem(&map_##name, &key);  \
		if (!value)                                                  \
			return 0;                                            \
		bpf_spin_lock(&value->lock);                                 \
		bpf_spin_unlock(&value->lock);                               \
		return 0;                                                    \
	}

#define timer_in(name, kind, key_type, value_type, flags)                   \
	map(map_##name, kind, key_type, value_type, flags) SEC("tc")        \
	int name(struct __sk_buff *skb)                                      \
	{                                                                    \
		u32 key = 0;                                                 \
		value_type *value = bpf_map_lookup_elem(&map_##name, &key);  \
		if (!value)                                                  \
			return 0;                                            \
		bpf_timer_init(&value->timer, &map_##name, 0);               \
		bpf_timer_set_callback(&value->timer, expired);              \
		return 0;                                                    \
	}

#define work_in(name, kind)                                                 \
	map(map_##name, kind, u32, struct working, 0) SEC("tc")             \
	int name(struct __sk_buff *skb)                                      \
	{                                                                    \
		u32 key = 0;                                                 \
		struct working *value = bpf_map_lookup_elem(&map_##name, &key); \
		return value ? bpf_wq_init(&value->work, &map_##name, 0) : 0; \
	}

lock_in(lock_hash, HASH, u32, struct locked, 0)
lock_in(lock_array, ARRAY, u32, struct locked, 0)
lock_in(lock_lru, LRU_HASH, u32, struct locked, 0)
lock_in(lock_percpu, PERCPU_ARRAY, u32, struct locked, 0)
lock_in(lock_percpu_hash, PERCPU_HASH, u32, struct locked, 0)
lock_in(lock_read_only, ARRAY, u32, struct locked, BPF_F_RDONLY_PROG)
lock_in(lock_write_only, HASH, u32, struct locked, BPF_F_WRONLY_PROG)
lock_in(lock_struct_key_hash, HASH, struct wide_key, struct locked, 0)
lock_in(lock_struct_key_array, ARRAY, struct wide_key, struct locked, 0)
lock_in(lock_both_hash, HASH, u32, struct both, 0)
lock_in(lock_both_lru, LRU_HASH, u32, struct both, 0)
timer_in(timer_hash, HASH, u32, struct timed, 0)
timer_in(timer_array, ARRAY, u32, struct timed, 0)
timer_in(timer_lru, LRU_HASH, u32, struct timed, 0)
timer_in(timer_percpu, PERCPU_ARRAY, u32, struct timed, 0)
timer_in(timer_lru_percpu, LRU_PERCPU_HASH, u32, struct timed, 0)
timer_in(timer_both_lru, LRU_HASH, u32, struct both, 0)
timer_in(timer_both_array, ARRAY, u32, struct both, 0)
work_in(work_lru, LRU_HASH)
work_in(work_percpu, PERCPU_HASH)

char LICENSE[] SEC("license") = "GPL";
