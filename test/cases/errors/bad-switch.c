int name(int code, int limit)
{
	switch (code) {
	case 1:
		return 10;
	case 2:
		return 20;
	case 1: // error 7: duplicate case value '1'
		return 30;
	case limit: // error 7: expression is not an integer constant expression
		return 40;
	default:
		break;
	default: // error 2: multiple default labels in one switch
		return 50;
	}
	case 7: // error 2: 'case' statement not in switch statement
	return 0;
}
