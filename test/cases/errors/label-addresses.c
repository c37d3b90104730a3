void *outside = &&start; // error 19: use of address-of-label extension outside of a function body

int nowhere(void *to)
{
	goto *to; // error 2: indirect goto in function with no address-of-label expressions
}

int missing(int n)
{
	void *to = &&never; // error 15: use of undeclared label 'never'

	goto *to;
	goto *n; // error 8: incompatible integer to pointer conversion passing 'int' to parameter of type 'const void *'; take the address with &
}
