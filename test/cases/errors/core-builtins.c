struct task { int pid; } __attribute__((preserve_access_index));

int read(struct task *t, int kind)
{
	int a = __builtin_preserve_field_info(t->pid, kind); // error 48: __builtin_preserve_field_info argument 2 not a constant
	int b = __builtin_preserve_field_info(t, 0); // error 40: __builtin_preserve_field_info argument 1 not a field access
	int c = __builtin_preserve_type_info(*(struct task *)0, kind); // error 58: __builtin_preserve_type_info argument 2 not a constant

	return a + b + c;
}
