int runtime(void);
int size = runtime(); // error 12: initializer element is not a compile-time constant
static int copy = size; // error 19: initializer element is not a compile-time constant
int table[size]; // error 5: variable length array declaration not allowed at file scope
int negative[-1]; // error 14: 'negative' declared as an array with a negative size
enum code { FIRST = runtime() }; // error 21: expression is not an integer constant expression
struct bits {
	int wide : 40; // error 6: width of bit-field 'wide' (40 bits) exceeds the width of its type (32 bits)
	int none : 0; // error 6: named bit-field 'none' has zero width
	int minus : -1; // error 6: bit-field 'minus' has negative width (-1)
	float real : 3; // error 8: bit-field 'real' has non-integral type 'float'
};
_Static_assert(sizeof(int) == 8, "int must be 64 bits"); // error 16: static assertion failed due to requirement 'sizeof(int) == 8': int must be 64 bits
_Static_assert(runtime(), "not constant"); // error 16: static assertion expression is not an integral constant expression
