int apply(int callback)
{
	int value = 3;

	return callback(value) + value(); // error 17: called object type 'int' is not a function or function pointer // error 32: called object type 'int' is not a function or function pointer
}
