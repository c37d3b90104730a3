int half(double ratio, int *p)
{
	int bits = ~ratio; // error 13: invalid argument type 'double' to unary expression
	bits += ratio % 2; // error 16: invalid operands to binary expression ('double' and 'int')
	bits <<= 1.5; // error 7: invalid operands to binary expression ('int' and 'double')
	p = ratio; // error 4: assigning to 'int *' from incompatible type 'double'
	p = (int *)ratio; // error 6: operand of type 'double' cannot be cast to a pointer type
	return (double)p; // error 9: pointer cannot be cast to type 'double'
}
