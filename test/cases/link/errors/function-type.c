// error: 'add' has different types in b.c and a.c: 'int add(int a, int b)' and 'int add(int)'
// file: a.c
extern int add(int);
int get(void) { return add(1); }
// file: b.c
int add(int a, int b) { return a + b; }
