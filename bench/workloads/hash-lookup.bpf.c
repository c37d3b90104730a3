#define MAP_TYPE BPF_MAP_TYPE_HASH
#define FILL
#include "lookup.h"
