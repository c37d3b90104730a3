int twice(int);

int twice = 4; // error 5: redefinition of 'twice' as different kind of symbol
int (*pointer)(int) = 5; // error 7: incompatible integer to pointer conversion initializing 'int (*)(int)' with an expression of type 'int'
int array_of[3](int); // error 13: 'array_of' declared as array of functions of type 'int (int)'
int returns_array(void)[4]; // error 18: function cannot return array type 'int[4]'

int run(int x)
{
	twice = 0; // error 8: non-object type 'int (int)' is not assignable
	return twice + x; // error 9: incompatible pointer to integer conversion returning 'int (*)(int)' from a function with result type 'int'
}
