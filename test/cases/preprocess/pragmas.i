#pragma pack(push, 1)
struct a { char c; int i; };
#pragma pack(pop)
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct b { int x; };
#pragma clang attribute pop
int before
#pragma GCC diagnostic push
 after;
#pragma unroll
for (;;) ;
