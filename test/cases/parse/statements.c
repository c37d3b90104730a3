typedef int T;
int f(int n)
{
  __label__ local, other;
  int i, T = 3;
  T = T * n;
  if (n) i = 1; else if (i) i = 2; else i = 3;
  while (n) n--;
  do { n++; } while (n < 10);
  for (int j = 0, k; j < 3; j++) continue;
  for (i = 0;;) break;
  for (;;) ;
  switch (n) {
  case 1:
  case 2 ... 5:
    break;
  default:
    goto local;
  }
local:
  __attribute__((unused));
other: __attribute__((unused))
  n = 1;
  void *p = &&local;
  goto *p;
  {
    typedef char T;
    T x;
    T:
    x = 1;
  }
  switch (n) { case 1: __attribute__((fallthrough)); case 2: [[fallthrough]]; default: }
  asm volatile("" ::: "memory");
  asm("plain");
  asm("%0 = %[in]" : "=r"(n) : [in] "i"(3), "0"(n) : "r1", "memory");
  asm goto("may_goto %l[local]" :::: local, other);
  #pragma unroll
  for (;;) ;
  #pragma clang loop unroll_count(2 * 2)
  while (1) ;
  #pragma clang loop unroll(full)
  do ; while (0);
  __extension__ int late;
  label_at_end: ;
  return (n);
}
