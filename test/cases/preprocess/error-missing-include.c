first
#include "missing.h"
never
