struct sk_buff;

struct holder {
	struct sk_buff skb; // error 17: field has incomplete type 'struct sk_buff'
	int mark;
};

int size(struct sk_buff *skb)
{
	return skb->len + sizeof(struct sk_buff); // error 12: incomplete definition of type 'struct sk_buff' // error 20: invalid application of 'sizeof' to an incomplete type 'struct sk_buff'
}
