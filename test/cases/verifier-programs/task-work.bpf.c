/* Work that a task does itself, later: callbacks that may sleep and return what they like. */
#include "programs.h"

struct bpf_map {
	int id;
};

struct task_struct {
	int pid;
};

struct value {
	u64 count;
	struct bpf_task_work work;
};

typedef int (*task_callback)(struct bpf_map *map, void *key, void *value);

extern int bpf_task_work_schedule_signal_impl(struct task_struct *task, struct bpf_task_work *work,
					      void *map, task_callback callback,
					      void *program) __ksym;
extern int bpf_task_work_schedule_resume_impl(struct task_struct *task, struct bpf_task_work *work,
					      void *map, task_callback callback,
					      void *program) __ksym;

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

static int later(struct bpf_map *map, void *key, void *data)
{
	struct value *own = data;
	char text[8];

	bpf_copy_from_user(text, sizeof(text), (void *)own->count);
	own->count += *(int *)key;
	return 0;
}

static int later_with_result(struct bpf_map *map, void *key, void *data)
{
	return ((struct value *)data)->count & 0xffff;
}

static int later_with_any_result(struct bpf_map *map, void *key, void *data)
{
	return ((struct value *)data)->count;
}

static int later_with_pointer(struct bpf_map *map, void *key, void *data)
{
	return (long)data;
}

static int later_past_end(struct bpf_map *map, void *key, void *data)
{
	return *(volatile u64 *)((struct value *)data + 1) ? 0 : 0;
}

static int later_writes_work(struct bpf_map *map, void *key, void *data)
{
	*(volatile u64 *)&((struct value *)data)->work = 0;
	return 0;
}

#define schedule(how, map, callback)                                                  \
	u32 key = 0;                                                                  \
	struct task_struct *task = (void *)bpf_get_current_task_btf();                \
	struct value *value = bpf_map_lookup_elem(&map, &key);                        \
	if (!value)                                                                   \
		return 0;                                                             \
	bpf_task_work_schedule_##how##_impl(task, &value->work, &map, callback, 0);   \
	return 0;

SEC("raw_tp")
int schedule_signal(void *ctx)
{
	schedule(signal, values, later)
}

SEC("kprobe/x")
int schedule_resume(void *ctx)
{
	schedule(resume, others, later)
}

SEC("perf_event")
int schedule_result(void *ctx)
{
	schedule(signal, values, later_with_result)
}

SEC("perf_event")
int refused_any_result(void *ctx)
{
	schedule(signal, values, later_with_any_result)
}

SEC("raw_tp")
int refused_pointer_result(void *ctx)
{
	schedule(signal, values, later_with_pointer)
}

SEC("raw_tp")
int refused_past_end(void *ctx)
{
	schedule(signal, values, later_past_end)
}

SEC("raw_tp")
int refused_write(void *ctx)
{
	schedule(signal, values, later_writes_work)
}

SEC("raw_tp")
int refused_other_map(void *ctx)
{
	u32 key = 0;
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct value *value = bpf_map_lookup_elem(&values, &key);

	if (value)
		bpf_task_work_schedule_signal_impl(task, &value->work, &others, later, 0);
	return 0;
}

SEC("raw_tp")
int refused_wrong_place(void *ctx)
{
	u32 key = 0;
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct value *value = bpf_map_lookup_elem(&values, &key);

	if (value)
		bpf_task_work_schedule_signal_impl(task, (void *)&value->count, &values, later, 0);
	return 0;
}

SEC("raw_tp")
int refused_on_stack(void *ctx)
{
	struct bpf_task_work work = {};
	struct task_struct *task = (void *)bpf_get_current_task_btf();

	bpf_task_work_schedule_signal_impl(task, &work, &values, later, 0);
	return 0;
}

SEC("raw_tp")
int refused_untrusted_task(void *ctx)
{
	u32 key = 0;
	struct task_struct *task = (void *)bpf_get_current_task();
	struct value *value = bpf_map_lookup_elem(&values, &key);

	if (value)
		bpf_task_work_schedule_signal_impl(task, &value->work, &values, later, 0);
	return 0;
}

SEC("raw_tp")
int refused_maybe_null(void *ctx)
{
	u32 key = 0;
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct value *value = bpf_map_lookup_elem(&values, &key);

	bpf_task_work_schedule_signal_impl(task, (void *)value, &values, later, 0);
	return 0;
}

SEC("tc")
int schedule_in_classifier(struct __sk_buff *skb)
{
	schedule(resume, values, later_with_result)
}

char LICENSE[] SEC("license") = "GPL";
