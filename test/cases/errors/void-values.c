void log_it(int x);
void empty; // error 6: variable has incomplete type 'void'

int use(int n)
{
	int got = log_it(n); // error 6: initializing 'int' with an expression of incompatible type 'void'
	void *p = log_it(n); // error 8: initializing 'void *' with an expression of incompatible type 'void'
	int v = *(void *)p; // error 6: initializing 'int' with an expression of incompatible type 'void' // warning 10: ISO C does not allow indirection on operand of type 'void *'

	return log_it(n) + v + got; // error 19: invalid operands to binary expression ('void' and 'int')
}
