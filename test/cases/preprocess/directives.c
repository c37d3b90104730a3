#if 1 + 2 * 3 == 7 && defined(__bpf__) && !defined Q
yes1
#elif 1
no
#else
no
#endif
#if 0
no #if
#ifdef X
#else
no
#endif
#elif -1 > 0u
yes2
#endif
#if (1 ? 2 : (1/0)) == 2 || 1/0
yes3
#endif
#if 'a' == 97 && '\x41' == 65 && 0b101 == 5 && 0x10UL == 16 && 010 == 8
yes4
#endif
#if -1 >> 1 == -1 && (-1 + 0u) > 0 && ~0 == -1 && 1 << 62 > 0
yes5
#endif
#if undefined_name == 0 && (2, 3) == 3
yes6
#endif
#define NAME "other.h"
#include NAME
#include "other.h"
#include "once.h"
#include "once.h"
#if __has_include("other.h") && !__has_include("missing.h") && defined __has_include
yes7
#endif
#if __has_attribute(packed) && __has_attribute(__packed__) && !__has_attribute(no_such)
yes8
#endif
#if __has_builtin(__builtin_memcpy) && !__has_builtin(nothing) && __has_feature(c_alignas)
yes9
#endif
__LINE__ __COUNTER__ __COUNTER__ __INCLUDE_LEVEL__ __FILE__ __BASE_FILE__
#line 100 "fake.c"
__LINE__ __FILE__
#define LINE() __LINE__
LINE(

)
#define multi \
  a \
  b
multi sp\
lit /* comment
over lines */ after // line comment \
continued
next
#pragma push_macro("multi")
#undef multi
multi
#pragma pop_macro("multi")
multi
%: define DIGRAPH <: :> <% %>
DIGRAPH
#
call(
#ifdef __bpf__
1,
#else
2,
#endif
3)
//// other.h
#ifndef OTHER_H
#define OTHER_H
other __INCLUDE_LEVEL__ __FILE__ __BASE_FILE__
#endif
//// once.h
#pragma once
once
