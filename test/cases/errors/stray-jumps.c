int jump(int n)
{
	if (n > 5)
		break; // error 3: 'break' statement not in loop or switch statement
	if (n < 2)
		continue; // error 3: 'continue' statement not in loop statement
	goto missing; // error 7: use of undeclared label 'missing'
done:
	return n;
done: // error 1: redefinition of label 'done'
	return 0;
}
