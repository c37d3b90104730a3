typedef int number;
int list(void) {
  int a[3] = { 1, 2, 3; // error 23: expected '}'
  return a[0];
}
int digits(void) {
  int 3x = 2; // error 7: expected identifier or '('
  return 0;
}
int type_as_value(void) {
  number = 1; // error 10: expected identifier or '('
  return number; // error 10: unexpected type name 'number': expected expression
}
