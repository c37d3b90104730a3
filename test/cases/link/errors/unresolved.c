// error: a.c: 'nowhere' is used in f, but no object defines it
// file: a.c
extern int nowhere(int);
__attribute__((section("xdp"))) int f(void *ctx) { return nowhere(1); }
