_Static_assert(__builtin_types_compatible_p(const int[4], int[4]), "");
_Static_assert(__builtin_types_compatible_p(const int[5][4], int[][4]), "");
struct __attribute__((aligned)) widest { char c; };
_Static_assert(sizeof(struct widest) == 16, "");
#if __has_feature(nullability)
int *_Nonnull there;
int *_Nullable *_Null_unspecified perhaps;
#endif
static struct { unsigned two : 2; } bits;
typedef __typeof__(+(bits.two++)) before;
typedef int before;
typedef __typeof__(+(++bits.two)) after;
typedef int after;
_Static_assert(sizeof(bits.two = 1) == 4, "");
_Alignas(3) int odd;
int last_of();
static int old(a, b) int a, b; { return a + b; }
int calls_old(void) { return old(1) + old(1, 2, last_of()) + old(1, 2); }
