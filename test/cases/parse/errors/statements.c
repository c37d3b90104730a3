int f(void) {
  foo_t x; // error: use of undeclared identifier 'foo_t'
  int a = 1 // error: expected ';' at end of declaration
  return a;
}
int g(void) {
  if (1 { return 1; } // error: expected ')'
  return 0 // error: expected ';' after return statement
}
void h(int n) {
  n = ; // error: expected expression
  n = 1 2; // error: expected ';' after expression
  g(1, 2; // error: expected ')'
  n[3; // error: expected ']'
  while 1; // error: expected '(' after 'while'
  else n = 2; // error: expected expression
  goto 3; // error: expected identifier
  ) n = 1; // error: expected expression
  n = 09; // error: invalid digit '9' in octal constant
  n = 1x; // error: invalid suffix 'x' on integer constant
  switch (n) { case 1 n = 3; } // error: expected ':' after 'case'
  for (n = 0; n < 3) n++; // error: expected ';' in 'for' statement specifier
  int nested(void) { return 1; } // error: function definition is not allowed here
  n = (foo_t)1; // error: use of undeclared identifier 'foo_t'
  #pragma unroll
  n = 5; // error: expected a for, while, or do-while loop to follow '#pragma unroll'
}
