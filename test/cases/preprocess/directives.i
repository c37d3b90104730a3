yes1
yes2
yes3
yes4
yes5
yes6
other 1 "./other.h" "case.c"
once
yes7
yes8
yes9
43 0 1 0 "case.c" "case.c"
100 "fake.c"
104
a b split after
next
multi
a b
<: :> <% %>
call(
1,
3)
// 55: warning: multi-line // comment
