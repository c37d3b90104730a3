typedef unsigned long u64;
struct task { int pid; struct { int tgid; } in; char comm[16]; } __attribute__((preserve_access_index));
enum kind { FIRST, SECOND = 5 };

u64 memory(char *p, const char *q, u64 n)
{
	__builtin_memcpy(p, q, n);
	__builtin_memset(p, 0, sizeof(struct task));
	return __builtin_memcmp(p, q, 4) + __builtin_strlen(q) + __builtin_strlen("four");
}

u64 bits(unsigned x, u64 y)
{
	return __builtin_bswap32(x) + __builtin_ctzll(y) + __builtin_popcount(0xff) +
	       __builtin_expect(x > 3, 1) + __builtin_constant_p(x) + __builtin_constant_p(4) +
	       __builtin_choose_expr(sizeof(x) == 4, x, y) +
	       __builtin_types_compatible_p(typeof(x), unsigned) +
	       __builtin_offsetof(struct task, comm[3]) + __builtin_object_size(&y, 0);
}

int overflow(int a, long b, short *c)
{
	return __builtin_add_overflow(a, b, c);
}

u64 relocations(struct task *t)
{
	const void *p = __builtin_preserve_access_index(&t->in.tgid);
	return __builtin_preserve_field_info(t->comm[2], 0) +
	       __builtin_preserve_type_info(*(struct task *)0, 0) +
	       __builtin_btf_type_id(*(typeof(struct task) *)0, 1) +
	       __builtin_preserve_enum_value(*(typeof(enum kind) *)SECOND, 1) + (p != 0);
}

long atomics(long *p, int *q, int old)
{
	__sync_fetch_and_add(q, 1UL);
	__atomic_store_n(p, old, 5);
	__sync_synchronize();
	if (__sync_bool_compare_and_swap(q, old, 7))
		return __sync_val_compare_and_swap_8(p, old, 7);
	return __atomic_add_fetch(p, 3, 0) + __atomic_compare_exchange_n(q, &old, 1, 0, 5, 5);
}

int selection(long x, char *s)
{
	return _Generic(x, int: 1, long: 2, default: 3) + _Generic(*s, char: 4, default: 5) +
	       _Generic(s, const char *: 6, char *: 7);
}
