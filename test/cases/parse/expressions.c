typedef int T;
struct s { int a[3]; struct s *next; };
int f(struct s *p, int n)
{
  n = n + 2 * 3 - 4 / 2 % 5 << 1 >> 2 < 3 == 4 & 5 ^ 6 | 7 && 8 || 9;
  n = n ? 1 : n ? 2 : 3;
  n = n ?: 4;
  n += n -= 1, n++, --n;
  -+~!n; *&n; - -n;
  p->next->a[1] = (*p).a[n++];
  n = sizeof n + sizeof(T) + sizeof(n) + sizeof(T){1} + sizeof(struct s *[3]) + _Alignof(T);
  n = (T)n + (T)-n + (unsigned char)(n) * 2;
  n = ({ int x = 1; x; });
  *(struct s *)p = (struct s){ .a = { 1 }, .next = 0 };
  n = _Generic(n, int: 1, T *: 2, default: 3);
  n = __builtin_offsetof(struct s, a[1]);
  n = __builtin_types_compatible_p(T, int);
  n = __builtin_choose_expr(1, 2, 3);
  n = 0x1fUL + 017 + 0b11 + 1llu + 'a' + 'ab' + '\0' + L'x' + 18446744073709551615u;
  f(p, f(0, 1)), f(p, (n, 2));
  __extension__ n;
  n = (int (*)(int))p == 0;
  for (T i = 0; i < n; i++) { T T = i; n = T * i; }
  __auto_type copy = p;
  typeof(f(0, 0)) result = __builtin_bswap16(n);
  return "a" "b"[0] + u8"c"[0];
}
