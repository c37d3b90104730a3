int program(int n)
{
	unsigned char many[4][n]; // error 16: variable length arrays are not supported: the size of 'many' must be constant
	unsigned char (*row)[n]; // error 18: variable length arrays are not supported: the size of 'row' must be constant
	unsigned char started[n] = {1}; // error 24: variable length arrays are not supported: the size of 'started' must be constant
	unsigned char plain[n];
	__typeof__(plain) like; // error 20: variable length arrays are not supported: the size of 'like' must be constant

	return sizeof(plain) + sizeof(__typeof__(plain)); // error 25: variable length arrays are not supported: the size of 'array' must be constant
}
