// error: 'size' has different types in b.c and a.c: 'long size' and 'int size'
// file: a.c
extern int size;
int get(void) { return size; }
// file: b.c
long size = 4;
