int masked(int x)
{
	asm volatile("%0 &= 7" : "+r"(x + 1)); // error 32: invalid lvalue in asm output
	asm volatile("%0 = 1" : "r"(x)); // error 26: invalid output constraint 'r' in asm
	return x;
}
