struct node {
	int value;
	struct node next; // error 14: field has incomplete type 'struct node'
};

struct list {
	int length;
	int items[]; // error 6: flexible array member 'items' with type 'int[]' is not at the end of struct
	int after;
};

struct twice {
	int id;
	char id; // error 7: duplicate member 'id'
	union { int x; int id; }; // error 21: member of anonymous union redeclares 'id'
};
