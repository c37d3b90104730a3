bar_t y; // error: unknown type name 'bar_t'
int g(foo_t x); // error: unknown type name 'foo_t'
struct s { foo_t m; int a b; }; // error: unknown type name 'foo_t' // error: expected ';' at end of declaration list
static x; // error: type specifier missing, defaults to 'int'; ISO C99 and later do not support implicit int
struct q { int a } // warning: expected ';' at end of declaration list // error: expected ';' after struct
int z;
int array[3; // error: expected ']'
int n = ; // error: expected expression
int list[] = { 1 2 }; // error: expected '}'
int 5; // error: expected identifier or '('
} // error: extraneous closing brace ('}')
long long long l; // error: cannot combine with previous 'long long' declaration specifier
unsigned float u; // error: cannot combine with previous 'unsigned' declaration specifier
static extern int e; // error: cannot combine with previous 'static' declaration specifier
enum { A B }; // error: missing ',' between enumerators
int last;
