typedef unsigned long long u64, *u64_pointer;
long unsigned int a = 1, *b, c[3][4];
static const volatile int *const restrict d;
int (*function_pointer)(int, u64), *(*array_of_functions[3])(void);
int prototype(), no_parameters(void), variadic(const char *format, ...);
struct point { int x, y; } origin;
union { int i; float f; struct { char c; }; } anonymous;
struct bits { unsigned a : 3, : 2, b : 4; enum e kind : 8; _Bool flag : 1; };
enum colour { RED, GREEN = 1 << 2, BLUE, };
enum sized : unsigned char { TINY };
struct empty {};
struct flexible { int n; char data[]; };
struct zero { int n; char data[0]; };
__int128 wide;
unsigned __int128 wider;
extern int external __attribute__((weak)) __asm__("renamed");
_Static_assert(sizeof(int) == 4, "int");
_Alignas(16) int aligned;
_Alignas(u64) char also;
__extension__ typedef struct { int a; } extended;
int array[] = { 1, 2, [5] = 3, [6 ... 9] = 4 }, nested[2][2] = { { 1 }, [1][0] = 2 };
struct point designated = { .y = 1, .x = 2 }, old = { x: 1, y: 2 }, braces = {};
char text[] = "one" " " "two\n\x41\101";
__asm__("file asm");
typeof(a) same_type;
__typeof_unqual__(d) unqualified;
void qualified(int n, int p[static const 3], int q[], int (callback)(u64));
static inline __attribute__((always_inline)) u64 function(u64 u64_pointer, int b)
{
  return u64_pointer + b;
}
int after;
