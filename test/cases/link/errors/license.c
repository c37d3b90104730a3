// error: section 'license' differs ('GPL' and 'MIT'): a.c and b.c
// file: a.c
__attribute__((section("license"))) char l[] = "GPL";
// file: b.c
__attribute__((section("license"))) char l[] = "MIT";
