int state = 1;
int state = 2; // error 5: redefinition of 'state'
long state_size;
int state_size; // error 5: redefinition of 'state_size' with a different type: 'int' vs 'long'

struct item { int a; };
struct item { int b; }; // error 8: redefinition of 'item'

int get(int x) { return x; }
int get(int x) { return x + 1; } // error 5: redefinition of 'get'

enum color { RED, GREEN, RED }; // error 26: redefinition of enumerator 'RED'
typedef int number;
typedef long number; // error 14: typedef redefinition with different types ('long' vs 'int')
