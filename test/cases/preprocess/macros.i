one two one two
  1 f(2)(3)
"a \"b\\n\" 'c' " "one two" ""
foobar z z 1e3 += one two CAT(a, b)
"EMPTY" f ( 3)
self + 1 ping pong
[[[1]]]
"x ## y"
123 45 67 89 10 11 12
  1 + g(2)
a b f
