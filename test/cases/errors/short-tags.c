int f(struct s *p) { return p->x; } // warning 14: declaration of 'struct s' will not be visible outside of this function // error 30: incomplete definition of type 'struct s'
struct t { int a; };
struct t { int b; }; // error 8: redefinition of 't'
void g(int a) { return a; } // error 17: void function 'g' should not return a value
