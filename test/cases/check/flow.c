// Reads of locals that nothing was stored in.
int always(int n) { int x; return x + n; }
int own(int n) { int x = x + 1; return n + x; }
int one_side(int n) { int x; if (n) x = 1; return x; }
int loop_skipped(int n) { int z; for (int i = 0; i < n; i++) { z = i; } return z; }
int loop_left(int n) { int z; while (n) { z = 1; break; } return z; }
int maybe(int n) { int z; if (n > 1) z = 2; else if (n < 0) z = 1; if (n) return z; return 0; }
int one_case(int n) { int z; switch (n) { case 1: z = 1; break; case 2: break; default: z = 5; } return z; }
int and_side(int n) { int z; if (n > 2 && n < 5) z = 1; return z; }
int jumped(int n) { int z; if (n) goto out; z = 1; out: return z; }
int endless(int n) { int z; while (1) { if (n) { z = 1; break; } } return z; }
int stepped(int n) { int z; z++; return z + n; }
int barrier(int n) { int z; asm volatile("" : "=r"(z) : "0"(z)); return z + n; }
int filled(int n) { int z; __builtin_memset(&z, 0, 4); return z + n; }
int unreached(int n) { int z; if (n) { z = 1; } else { __builtin_unreachable(); } return z; }
#pragma clang diagnostic push
#pragma clang diagnostic warning "-Wimplicit-fallthrough"
#pragma clang diagnostic ignored "-Wuninitialized"
int falls(int n) {
  int quiet;
  switch (n) {
  case 1: n++;
  case 2:
  case 3: n--; __attribute__((fallthrough));
  case 4: if (n) return quiet;
  default: break;
  }
  return n;
}
#pragma clang diagnostic pop
# 100 "elsewhere.c"
int placed(int n) { int y; return n; }
