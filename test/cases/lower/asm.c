// Inline assembly: operands, ties, memory, labels.
int counter;

long operands(int *p, int n, unsigned char c) {
  short h;
  long q;
  asm volatile("" ::: "memory");
  asm("%0 = %1" : "=r"(q) : "r"(c));
  asm volatile("%[n] &= %1" : [n] "+r"(n) : "i"(255));
  asm volatile("%0 = %2\n%1 = 1" : "=r"(h), "=&r"(q) : "0"(q) : "r1");
  asm volatile("*(u32 *)%0 = %1" : "=m"(counter) : "r"(p));
  asm goto("if %[n] < 0 goto %l[out]\nif %0 > 5 goto %l2" : : [n] "r"(n), "m"(*p) : : out, other);
  asm volatile("may_goto 100%%");
other:
  return h + q;
out:
  return n;
}

struct moving { int a, b; } __attribute__((preserve_access_index));
int offset(struct moving *p) {
  int value;
  asm("%0 = *(u32 *)(%1 + %2)" : "=r"(value) : "r"(p), "i"((unsigned long)&((struct moving *)0)->b));
  return value;
}

// The whole register is compared: the cast only says that its type does not matter.
int compared(unsigned long x, int y) {
  asm goto("if %0 == 0 goto %l[out]" : : "r"((short)x) : : out);
  asm goto("if %0 == 0 goto %l[out]" : : "r"((char)y) : : out);
  return 1;
out:
  return 0;
}
