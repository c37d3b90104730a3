struct point { int x, y; };

int calculate(struct point p, int *q, int n)
{
	int a = p + 1; // error 12: invalid operands to binary expression ('struct point' and 'int')
	int b = q * 2; // error 12: invalid operands to binary expression ('int *' and 'int')
	int c = q + q; // error 12: invalid operands to binary expression ('int *' and 'int *')
	int d = !p; // error 10: invalid argument type 'struct point' to unary expression
	int e = -q; // error 10: invalid argument type 'int *' to unary expression
	int f = ~p; // error 10: invalid argument type 'struct point' to unary expression
	if (p) // error 2: statement requires expression of scalar type ('struct point' invalid)
		n <<= q; // error 5: invalid operands to binary expression ('int' and 'int *')
	return a + b + c + d + e + f + (p == p) + (n && p); // warning 36: self-comparison always evaluates to true // error 36: invalid operands to binary expression ('struct point' and 'struct point') // error 47: invalid operands to binary expression ('int' and 'struct point')
}
