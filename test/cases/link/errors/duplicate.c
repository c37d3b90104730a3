// error: 'twice' is defined in a.c and in b.c
// file: a.c
int twice(void) { return 1; }
// file: b.c
int twice(void) { return 2; }
