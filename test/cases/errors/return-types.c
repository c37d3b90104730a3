struct point { int x, y; };

void nothing(void)
{
	return 5; // error 2: void function 'nothing' should not return a value
}

int number(struct point p)
{
	return p; // error 9: returning 'struct point' from a function with incompatible result type 'int'
}

struct point origin(void)
{
	return 0; // error 9: returning 'int' from a function with incompatible result type 'struct point'
}

int *address(int x)
{
	return x; // error 9: incompatible integer to pointer conversion returning 'int' from a function with result type 'int *'; take the address with &
}

int something(void)
{
	return; // error 2: non-void function 'something' should return a value
}
