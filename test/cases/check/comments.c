int doubled[sizeof(signed char signed) + sizeof(unsigned unsigned short)];
/* a /* b */
/* a // b */
// a \
b
// looks like \
  // one
// and \

// this
/* a /* b
   /* c */
/*/ x */
int x;
#if 0
/* /* */
// a \
q
#endif
#define Q /* a /* b */ 1
int z = Q; // a\
