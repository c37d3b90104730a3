struct pair { int a, b; };

struct pair one = { 1, 2, 3 }; // warning 27: excess elements in struct initializer
struct pair two = { .c = 1 }; // error 22: field designator 'c' does not refer to any field in type 'struct pair'
int list[2] = { 1, 2, 3 }; // warning 23: excess elements in array initializer
int holes[4] = { [5] = 1, [-1] = 2 }; // error 19: array designator index (5) exceeds array bounds (4) // error 28: array designator value '-1' is negative
int endless[] = { [0x7fffffffffffffff] = 1, 2 }; // error 20: array is too large (9223372036854775808 elements)
int sizes[] = 5; // error 5: array initializer must be an initializer list or wide string literal
char text[3] = "too long"; // warning 16: initializer-string for char array is too long
char *words = { "a", "b" }; // warning 22: excess elements in scalar initializer
struct pair three = 7; // error 13: initializing 'struct pair' with an expression of incompatible type 'int'
int nothing[]; // warning 5: tentative array definition assumed to have one element
int unsized(void) { int local[]; return 0; } // error 25: definition of variable with array type needs an explicit size or an initializer
