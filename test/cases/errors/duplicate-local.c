int twice(int n)
{
	int i = 0;
	long i = 1; // error 7: redefinition of 'i' with a different type: 'long' vs 'int'
	int n = 2; // error 6: redefinition of 'n'

	return i + n;
}
