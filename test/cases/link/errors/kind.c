// error: 'twice' is a function in b.c, data in a.c
// file: a.c
extern int twice;
int get(void) { return twice; }
// file: b.c
int twice(int n) { return n * 2; }
