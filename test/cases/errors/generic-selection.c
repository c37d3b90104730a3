struct other { int x; };

int pick(struct other o, long n)
{
	return _Generic(o, int: 1, long: 2) + _Generic(n, int: 1, int: 2, default: 3); // error 18: controlling expression type 'struct other' not compatible with any generic association type // error 60: type 'int' in generic association compatible with previously specified type 'int'
}
